//! The forms that texts can be asked to have.

use std::{fmt, net::IpAddr};

use axt_proto::Network;

/// What a text has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Anything.
    Any,
    /// Printable ASCII without spaces, 0x21 to 0x7E (limits-and-semantics 1, R17).
    Ascii,
    /// An IPv4 or IPv6 address, else a host name: no space, slash, colon or control character (R14).
    Host,
    /// A letter, then letters, digits and `. _ - :`; no `http://` or `https://` (ecs-api 3.6).
    Name,
    /// An address or a CIDR block of either family (ecs-api 3.6).
    AddressRange,
    /// A size such as `50MB`, from and to so many megabytes (ecs-api 3.13).
    Megabytes(u32, u32),
    /// A part of a day, `HH:mm-HH:mm`, an hour or more, over midnight if it ends before it starts.
    Window,
    /// What names in a bucket start with: neither slash comes first.
    Prefix,
    /// One of these words, whose case counts.
    Words(&'static [&'static str]),
    /// A KMS key: letters, digits and `- _ / : .`.
    Key,
}

impl Form {
    /// Whether the text has the form.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Ascii => text.bytes().all(|byte| byte.is_ascii_graphic()),
            Self::Host => text.parse::<IpAddr>().is_ok() || is_host_name(text),
            Self::Name => is_name(text),
            Self::AddressRange => text.parse::<Network>().is_ok(),
            Self::Megabytes(least, most) => {
                let number = text.strip_suffix("MB").filter(|digits| is_decimal(digits));
                number
                    .and_then(|digits| digits.parse().ok())
                    .is_some_and(|it| (least..=most).contains(&it))
            }
            Self::Window => is_window(text),
            Self::Prefix => !text.starts_with(['/', '\\']),
            Self::Words(words) => words.contains(&text),
            Self::Key => text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_/:.".contains(&byte)),
        }
    }
}

/// What is expected, for a person; nothing of [`Form::Any`].
impl fmt::Display for Form {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Any => return Ok(()),
            Self::Megabytes(least, most) => {
                return write!(out, "a size from {least}MB to {most}MB");
            }
            Self::Words(words) => return out.write_str(&words.join(" or ")),
            Self::Ascii => "printable ASCII without spaces",
            Self::Host => "an address or a host name",
            Self::Name => "a letter, then letters, digits and . _ - :",
            Self::AddressRange => "an address or a network such as 10.0.0.0/8",
            Self::Window => "a part of the day such as 02:00-04:00, an hour or more",
            Self::Prefix => "no slash in front",
            Self::Key => "letters, digits and - _ / : .",
        })
    }
}

/// Digits and nothing else; Rust's own parser takes a sign too.
pub(crate) fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_window(text: &str) -> bool {
    let ends = text
        .split_once('-')
        .and_then(|(start, end)| Some((minutes(start)?, minutes(end)?)));
    ends.is_some_and(|(start, end)| (end + DAY - start) % DAY >= 60)
}

/// The minutes of a day.
const DAY: u32 = 24 * 60;

/// `HH:mm` in minutes since midnight.
fn minutes(text: &str) -> Option<u32> {
    let field = |text: &str, end: u32| -> Option<u32> {
        let is_pair = text.len() == 2 && is_decimal(text);
        text.parse().ok().filter(|number| is_pair && *number < end)
    };
    let (hours, minutes) = text.split_once(':')?;
    Some(field(hours, 24)? * 60 + field(minutes, 60)?)
}

fn is_host_name(text: &str) -> bool {
    !text.chars().any(|letter| {
        letter.is_whitespace() || letter.is_control() || letter == '/' || letter == ':'
    })
}

fn is_name(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || "._-:".contains(letter))
        && !text.starts_with("http://")
        && !text.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_server_is_an_address_or_a_name() {
        for good in [
            "10.0.0.7",
            "fe80::1",
            "db",
            "db.internal",
            "データ.example",
            "a_b",
        ] {
            assert!(Form::Host.accepts(good), "{good}");
        }
        for bad in ["a b", "a/b", "db:3306", "[::1]", "a\u{7}b", "http://x"] {
            assert!(!Form::Host.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn a_range_is_an_address_with_or_without_a_prefix() {
        for good in ["0.0.0.0/0", "10.1.2.3", "10.0.0.0/8", "::/0", "fd00::/64"] {
            assert!(Form::AddressRange.accepts(good), "{good}");
        }
        for bad in [
            "",
            "x",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "1.2.3",
        ] {
            assert!(!Form::AddressRange.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_starts_with_a_letter() {
        assert!(Form::Name.accepts("web-1.a:b_c"));
        assert!(!Form::Name.accepts("1web"));
        assert!(!Form::Name.accepts("web 1"));
        assert!(!Form::Name.accepts("http://web"));
    }

    #[test]
    fn a_window_is_an_hour_or_more() {
        for good in ["02:00-03:00", "23:30-00:30", "00:00-23:59"] {
            assert!(Form::Window.accepts(good), "{good}");
        }
        for bad in [
            "02:00-02:59",
            "2:00-3:00",
            "24:00-01:00",
            "02:00",
            "02:60-04:00",
            "",
            "-",
        ] {
            assert!(!Form::Window.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn a_size_is_a_number_of_megabytes() {
        let form = Form::Megabytes(35, 1_024);

        for good in ["35MB", "1024MB"] {
            assert!(form.accepts(good), "{good}");
        }
        for bad in ["34MB", "1025MB", "50", "50mb", "+50MB", "MB", ""] {
            assert!(!form.accepts(bad), "{bad}");
        }
    }
}
