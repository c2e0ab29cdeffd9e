//! Sessions that somebody else has started: their URL is all that there is.

use axt_proto::Secret;

use super::Started;

/// A text that is no URL of a session. It is not in here, since it may hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSessionUrl {
    /// Not `ws://HOST…` or `wss://HOST…`.
    #[error("that is no websocket URL: expected wss://HOST/…?sessionId=s-…")]
    NoWebsocket,
    /// There is no token, neither in it nor beside it.
    #[error("the session's token is missing")]
    NoToken,
    /// The URL has one token, and another one stands beside it.
    #[error("the URL's token is not the one that was given beside it")]
    TwoTokens,
}

impl Started {
    /// A session that somebody else has started. The token may stand in the URL, as
    /// StartTerminalSession answers it, or beside it.
    ///
    /// # Errors
    /// [`BadSessionUrl`].
    pub fn given(url: Secret, token: Option<Secret>) -> Result<Self, BadSessionUrl> {
        let text = url.expose().trim().to_owned();
        let uri: http::Uri = text.parse().map_err(|_| BadSessionUrl::NoWebsocket)?;
        if !matches!(uri.scheme_str(), Some("ws" | "wss")) || uri.authority().is_none() {
            return Err(BadSessionUrl::NoWebsocket);
        }
        let parameter = |names: &[&str]| {
            uri.query().unwrap_or_default().split('&').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                (names.contains(&name) && !value.is_empty()).then(|| value.to_owned())
            })
        };
        let token = match (parameter(&["token"]).map(Secret::new), token) {
            (Some(within), Some(beside)) if within.expose() != beside.expose() => {
                return Err(BadSessionUrl::TwoTokens);
            }
            (within, beside) => within.or(beside).ok_or(BadSessionUrl::NoToken)?,
        };
        Ok(Self {
            id: parameter(&["sessionId", "sessionid"]).unwrap_or_else(|| "?".to_owned()),
            url: Secret::new(text),
            token,
        })
    }

    /// Whether a URL has a token in it, so that it must not be seen by others.
    #[must_use]
    pub fn has_token(url: &str) -> bool {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .any(|pair| matches!(pair.split_once('='), Some(("token", value)) if !value.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(url: &str, token: Option<&str>) -> Result<Started, BadSessionUrl> {
        Started::given(Secret::new(url), token.map(Secret::new))
    }

    #[test]
    fn the_token_stands_in_the_url_or_beside_it() {
        let within = given("wss://relay/session?sessionId=s-1&token=t", None).expect("a session");
        let beside = given("wss://relay/session?sessionId=s-1\n", Some("t")).expect("a session");

        for started in [within, beside] {
            assert_eq!((started.id.as_str(), started.token.expose()), ("s-1", "t"));
        }
    }

    #[test]
    fn what_is_no_session_says_why_and_shows_nothing_of_it() {
        let bad = [
            given("https://relay/session?token=hunter2", None),
            given("wss://relay/session?sessionId=s-1", None),
            given("wss://relay/session?token=hunter2", Some("other")),
        ]
        .map(|outcome| outcome.expect_err("refused"));

        assert_eq!(
            bad,
            [
                BadSessionUrl::NoWebsocket,
                BadSessionUrl::NoToken,
                BadSessionUrl::TwoTokens
            ]
        );
        assert!(
            !bad.map(|error| error.to_string())
                .concat()
                .contains("hunter2")
        );
    }

    #[test]
    fn a_url_that_shows_its_token_is_known() {
        assert!(Started::has_token(
            "wss://relay/session?sessionId=s-1&token=t"
        ));
        assert!(!Started::has_token(
            "wss://relay/session?sessionId=s-1&token="
        ));
        assert!(!Started::has_token("wss://relay/session"));
    }
}
