//! The words for habits, read and written.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Behaviour, Posts};

/// What people are told of a habit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HabitWords {
    /// Its word.
    pub word: &'static str,
    /// The form of its value; `None`: it has none.
    pub value: Option<&'static str>,
    /// What is taken where the value is left out; `None`: it must not be.
    pub default: Option<&'static str>,
    /// What the agent does, as a sentence.
    pub meaning: &'static str,
}

const fn habit(word: &'static str, meaning: &'static str) -> HabitWords {
    HabitWords {
        word,
        value: None,
        default: None,
        meaning,
    }
}

const fn with(
    word: &'static str,
    value: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
) -> HabitWords {
    HabitWords {
        word,
        value: Some(value),
        default,
        meaning,
    }
}

const SPAN: &str = "a span such as 5s or 1m 30s";

/// Every habit.
#[rustfmt::skip]
pub const HABITS: [HabitWords; 16] = [
    with("version", "four numbers with dots", None, "It says that it has this version."),
    with("os", "linux, windows or freebsd", None, "It says that it is on this system."),
    with("slow_start", SPAN, None, "It does nothing at all for so long."),
    habit("never_dials", "It answers a kick, and never dials the data channel."),
    with("dies_after", SPAN, None, "It dies so long after its start, as in a crash."),
    with("dies_after_bytes", "bytes", None, "It dies after so much payload, both ways together."),
    habit("ignores_stop", "It goes on when it is told to stop a session."),
    habit("ignores_speed", "It sends as fast as it can, whatever speed it is told."),
    with("floods", "bytes", Some("endless"), "It prints so much on every channel before anything else."),
    with("goes_silent", SPAN, None, "After so long it is silent, its sockets still open."),
    habit("posts_twice", "It tells twice how a session ended."),
    with("posts_late", SPAN, None, "It tells so much later how a session ended."),
    habit("posts_never", "It does not tell how a session ended."),
    habit("wrong_signature", "Its signatures are wrong."),
    with("wrong_clock", "a span such as 20m or -20m", None, "Its clock is so far ahead, or behind."),
    habit("loses_heart_beats", "It sends no heart-beats."),
];

/// What is no habit: what is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadBehaviour(String);

impl Behaviour {
    /// The behaviour of these words, each `WORD` or `WORD=VALUE`.
    ///
    /// # Errors
    /// [`BadBehaviour`], with the nearest word.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, BadBehaviour> {
        let mut behaviour = Self::default();
        for text in words {
            behaviour.learn(text.trim())?;
        }
        Ok(behaviour)
    }

    fn learn(&mut self, text: &str) -> Result<(), BadBehaviour> {
        let (word, value) = match text.split_once('=') {
            Some((word, value)) => (word.trim(), Some(value.trim())),
            None => (text, None),
        };
        let Some(words) = HABITS.iter().find(|habit| habit.word == word) else {
            let all = HABITS.iter().map(|habit| habit.word);
            let instead = axt_control::words::instead(word, all);
            return Err(BadBehaviour(format!(
                "no agent behaves as `{word}`; {instead}"
            )));
        };
        let value = match (words.value, value.or(words.default)) {
            (None, Some(value)) => {
                let what = format!("`{word}` has no value, so `{word}={value}` is none");
                return Err(BadBehaviour(what));
            }
            (Some(form), None) => {
                return Err(BadBehaviour(format!(
                    "`{word}` has a value: {word}=…, {form}"
                )));
            }
            (None, None) => "",
            (Some(_), Some(value)) => value,
        };
        let misfit = || {
            let form = words.value.unwrap_or_default();
            BadBehaviour(format!("`{word}` cannot be `{value}`: expected {form}"))
        };
        let span = || span(value).ok_or_else(misfit);
        match word {
            "version" => {
                let numbers: Vec<_> = value.split('.').map(str::parse::<u32>).collect();
                if numbers.len() != 4 || numbers.iter().any(Result::is_err) {
                    return Err(misfit());
                }
                self.version = Some(value.to_owned());
            }
            "os" if !["linux", "windows", "freebsd"].contains(&value) => return Err(misfit()),
            "os" => self.os = Some(value.to_owned()),
            "slow_start" => self.slow_start = Some(span()?),
            "never_dials" => self.never_dials = true,
            "dies_after" => self.dies_after = Some(span()?),
            "dies_after_bytes" => {
                self.dies_after_bytes = Some(value.parse().map_err(|_| misfit())?);
            }
            "ignores_stop" => self.ignores_stop = true,
            "ignores_speed" => self.ignores_speed = true,
            "floods" if value == "endless" => self.floods = Some(u64::MAX),
            "floods" => self.floods = Some(value.parse().map_err(|_| misfit())?),
            "goes_silent" => self.goes_silent = Some(span()?),
            "posts_twice" => self.post(word, Posts::Twice)?,
            "posts_late" => self.post(word, Posts::Late(span()?))?,
            "posts_never" => self.post(word, Posts::Never)?,
            "wrong_signature" => self.wrong_signature = true,
            "wrong_clock" => {
                let skew: SignedDuration = value.parse().map_err(|_| misfit())?;
                self.wrong_clock_ms = i64::try_from(skew.as_millis()).map_err(|_| misfit())?;
            }
            _ => self.loses_heart_beats = true,
        }
        Ok(())
    }

    fn post(&mut self, word: &str, posts: Posts) -> Result<(), BadBehaviour> {
        if self.posts != Posts::Once && self.posts != posts {
            let what = format!("`{word}` and another way to post cannot both be");
            return Err(BadBehaviour(what));
        }
        self.posts = posts;
        Ok(())
    }

    /// The words that it is made of.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let shown = |word: &str, span: &Duration| {
            let span = SignedDuration::try_from(*span).unwrap_or(SignedDuration::MAX);
            format!("{word}={span:#}")
        };
        let flag = |word: &str, is_so: bool| is_so.then(|| word.to_owned());
        let words = [
            self.version
                .as_ref()
                .map(|version| format!("version={version}")),
            self.os.as_ref().map(|os| format!("os={os}")),
            self.slow_start.as_ref().map(|it| shown("slow_start", it)),
            flag("never_dials", self.never_dials),
            self.dies_after.as_ref().map(|it| shown("dies_after", it)),
            self.dies_after_bytes
                .map(|bytes| format!("dies_after_bytes={bytes}")),
            flag("ignores_stop", self.ignores_stop),
            flag("ignores_speed", self.ignores_speed),
            self.floods.map(|bytes| match bytes {
                u64::MAX => "floods".to_owned(),
                bytes => format!("floods={bytes}"),
            }),
            self.goes_silent.as_ref().map(|it| shown("goes_silent", it)),
            match &self.posts {
                Posts::Once => None,
                Posts::Twice => Some("posts_twice".to_owned()),
                Posts::Late(late) => Some(shown("posts_late", late)),
                Posts::Never => Some("posts_never".to_owned()),
            },
            flag("wrong_signature", self.wrong_signature),
            (self.wrong_clock_ms != 0).then(|| {
                let skew = SignedDuration::from_millis(self.wrong_clock_ms);
                format!("wrong_clock={skew:#}")
            }),
            flag("loses_heart_beats", self.loses_heart_beats),
        ];
        words.into_iter().flatten().collect()
    }
}

impl TryFrom<Vec<String>> for Behaviour {
    type Error = BadBehaviour;

    fn try_from(words: Vec<String>) -> Result<Self, BadBehaviour> {
        Self::from_words(words.iter().map(String::as_str))
    }
}

impl From<Behaviour> for Vec<String> {
    fn from(behaviour: Behaviour) -> Self {
        behaviour.words()
    }
}

fn span(text: &str) -> Option<Duration> {
    let span: SignedDuration = text.parse().ok()?;
    Duration::try_from(span).ok()
}
