//! Values of a parameter, each known for what it is by how it was made: nothing here judges a value
//! after the fact, for that is what the program under test does.

use axt_openapi::description::{Kind, Parameter};

use super::{
    forms,
    shapes::{json_list, list, map, object, tags},
};

/// Names and texts, as the wire has them.
pub(super) type Pairs = Vec<(String, String)>;

/// A way to send a parameter, or to leave it out.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) says: Says,
    pub(super) pairs: Pairs,
}

/// What a sample is.
#[derive(Clone, Debug)]
pub(super) enum Says {
    /// Not there, or as good as that.
    Absent,
    /// A text, number or word that the description allows.
    Text(String),
    /// A list of so many items as are allowed.
    List(Vec<String>),
    /// An object of these members, which may be wrong in themselves.
    Object(Vec<(Parameter, Says)>),
    /// Not of the kind, form or range.
    Malformed,
    /// Longer than the description allows.
    TooLong,
    /// A list of more items than the description allows.
    TooMany,
    /// JSON that cannot be read, or one value in two shapes (ecs-api 1.2).
    Unreadable,
    /// `Tag.N.Value` without its key (ecs-api 3.6).
    NoKey,
}

impl Sample {
    pub(super) fn absent() -> Self {
        let pairs = Vec::new();
        Self {
            says: Says::Absent,
            pairs,
        }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.says.is_wrong()
    }
}

impl Says {
    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    pub(super) fn is_wrong(&self) -> bool {
        match self {
            Self::Absent | Self::Text(_) | Self::List(_) => false,
            Self::Object(members) => members.iter().any(|(parameter, says)| {
                says.is_wrong() || (parameter.required && !says.is_given())
            }),
            _ => true,
        }
    }
}

/// The samples of a parameter; the first is a good one. `known` are values that exist.
pub(super) fn samples(parameter: &Parameter, known: &[&str]) -> Vec<Sample> {
    let mut samples = match parameter.kind {
        Kind::List { max, form } => list(parameter.name, max, form, known),
        Kind::JsonList { max } => json_list(parameter.name, max),
        Kind::Tags { max } => tags(parameter.name, max),
        Kind::Object(members) => object(parameter.name, members),
        Kind::Map => map(parameter.name),
        Kind::Text { .. } | Kind::Integer { .. } | Kind::Boolean | Kind::Choice { .. } => {
            let known = known
                .iter()
                .map(|text| Says::Text((*text).to_owned()).with(text));
            known
                .chain(scalars(parameter))
                .map(|scalar| scalar.named(parameter.name))
                .collect()
        }
    };
    // Empty is as good as absent (ecs-api 1.1).
    let pairs = vec![(parameter.name.to_owned(), String::new())];
    samples.push(Sample {
        says: Says::Absent,
        pairs,
    });
    samples
}

/// What stands in one text.
pub(super) struct Scalar {
    says: Says,
    text: String,
}

impl Scalar {
    pub(super) fn named(self, name: &str) -> Sample {
        let pairs = vec![(name.to_owned(), self.text)];
        Sample {
            says: self.says,
            pairs,
        }
    }
}

impl Says {
    pub(super) fn with(self, text: &str) -> Scalar {
        let text = text.to_owned();
        Scalar { says: self, text }
    }
}

pub(super) fn good(text: impl Into<String>) -> Scalar {
    let text = text.into();
    Scalar {
        says: Says::Text(text.clone()),
        text,
    }
}

pub(super) fn bad(text: impl Into<String>) -> Scalar {
    Scalar {
        says: Says::Malformed,
        text: text.into(),
    }
}

fn scalars(parameter: &Parameter) -> Vec<Scalar> {
    match parameter.kind {
        Kind::Text { min, max, form } => {
            let mut all: Vec<Scalar> = forms::good(form, min, max).into_iter().map(good).collect();
            all.extend(forms::bad(form, min).into_iter().map(bad));
            // The longest of all would be more than a call can have.
            let letter = match max {
                0..=1_024 => Some("字"),
                1_025..=32_768 => Some("x"),
                _ => None,
            };
            all.extend(letter.map(|letter| Scalar {
                says: Says::TooLong,
                text: letter.repeat(max + 1),
            }));
            all
        }
        Kind::Integer { min, max } => {
            let beyond = (u64::from(max) + 1).to_string();
            let below = (i64::from(min) - 1).to_string();
            let fine = [min, max, min.midpoint(max)].map(|number| good(number.to_string()));
            let wrong = [
                &beyond,
                &below,
                "-1",
                "1.5",
                "abc",
                "+5",
                " 5",
                "5 ",
                "0x5",
                "99999999999999999999",
            ];
            fine.into_iter().chain(wrong.map(bad)).collect()
        }
        Kind::Boolean => {
            let fine = ["true", "false", "True", "FALSE"];
            let fine = fine.map(|text| Says::Text(text.to_lowercase()).with(text));
            fine.into_iter()
                .chain(["yes", "1", "truee", "t"].map(bad))
                .collect()
        }
        Kind::Choice { words, exact } => {
            let mut all: Vec<Scalar> = words.iter().map(|word| good(*word)).collect();
            for word in words {
                let other: String = word
                    .chars()
                    .map(|letter| match letter.is_ascii_lowercase() {
                        true => letter.to_ascii_uppercase(),
                        false => letter.to_ascii_lowercase(),
                    })
                    .collect();
                let says = if exact {
                    Says::Malformed
                } else {
                    Says::Text((*word).to_owned())
                };
                all.push(says.with(&other));
            }
            all.extend(["Nonsense", "字"].map(bad));
            all.extend(words.first().map(|word| bad(format!("{word} "))));
            all
        }
        _ => Vec::new(),
    }
}
