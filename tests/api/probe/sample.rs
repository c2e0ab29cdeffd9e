//! Values of a parameter, each known for what it is by how it was made: nothing here judges a value
//! after the fact, for that is what the program under test does.

use axt_openapi::description::{Form, Kind, Parameter};

use super::forms;

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
struct Scalar {
    says: Says,
    text: String,
}

impl Scalar {
    fn named(self, name: &str) -> Sample {
        let pairs = vec![(name.to_owned(), self.text)];
        Sample {
            says: self.says,
            pairs,
        }
    }
}

impl Says {
    fn with(self, text: &str) -> Scalar {
        let text = text.to_owned();
        Scalar { says: self, text }
    }
}

fn good(text: impl Into<String>) -> Scalar {
    let text = text.into();
    Scalar {
        says: Says::Text(text.clone()),
        text,
    }
}

fn bad(text: impl Into<String>) -> Scalar {
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
            if max <= 1_024 {
                let text = "字".repeat(max + 1);
                all.push(Scalar {
                    says: Says::TooLong,
                    text,
                });
            }
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

fn list(name: &str, max: usize, form: Form, known: &[&str]) -> Vec<Sample> {
    let mut items: Vec<String> = known.iter().map(|item| (*item).to_owned()).collect();
    items.extend(forms::good(form, 1, 64));
    let at = |numbers: Vec<usize>| -> (Vec<String>, Pairs) {
        let values = items.iter().cycle().cloned();
        let pairs: Pairs = numbers
            .iter()
            .map(|number| format!("{name}.{number}"))
            .zip(values)
            .collect();
        (
            pairs.iter().map(|(_, value)| value.clone()).collect(),
            pairs,
        )
    };
    let fine = |numbers| {
        let (values, pairs) = at(numbers);
        Sample {
            says: Says::List(values),
            pairs,
        }
    };
    let mut all: Vec<Sample> = items
        .iter()
        .map(|item| Sample {
            says: Says::List(vec![item.clone()]),
            pairs: vec![(format!("{name}.1"), item.clone())],
        })
        .collect();
    // Without a number; gaps; the most.
    let first = items.first().cloned().unwrap_or_default();
    let alone = (name.to_owned(), first.clone());
    let numbered = (format!("{name}.1"), first.clone());
    all.push(Sample {
        says: Says::List(vec![first.clone()]),
        pairs: vec![alone.clone()],
    });
    all.push(Sample {
        says: Says::List(vec![first.clone()]),
        pairs: vec![alone, numbered.clone()],
    });
    all.push(fine(vec![7]));
    all.push(fine((1..=max).map(|number| number * 3).collect()));
    let (_, pairs) = at((1..=max + 1).collect());
    all.push(Sample {
        says: Says::TooMany,
        pairs,
    });
    let other = (name.to_owned(), format!("{first}-other"));
    all.push(Sample {
        says: Says::Unreadable,
        pairs: vec![numbered, other],
    });
    // No items at all: numbers start at 1, in plain decimal.
    for suffix in ["0", "x", "01"] {
        let pairs = vec![(format!("{name}.{suffix}"), first.clone())];
        all.push(Sample {
            says: Says::Absent,
            pairs,
        });
    }
    all.extend(forms::bad(form, 1).into_iter().map(|item| Sample {
        says: Says::Malformed,
        pairs: vec![
            (format!("{name}.1"), first.clone()),
            (format!("{name}.2"), item),
        ],
    }));
    all
}

fn json_list(name: &str, max: usize) -> Vec<Sample> {
    let of = |count: usize| serde_json::json!(vec!["i-nobody"; count]).to_string();
    let fine =
        [1, 0, max].map(|count| Says::List(vec!["i-nobody".to_owned(); count]).with(&of(count)));
    let wrong = [
        "i-1,i-2",
        "i-1",
        "{\"a\":1}",
        "[1]",
        "[null]",
        "\"i-1\"",
        "[\"i-1\"",
        "[\"i-1\"] x",
    ];
    let all = fine.into_iter().chain(wrong.map(bad));
    let long = Says::TooLong.with(&of(max + 1));
    all.chain([long]).map(|scalar| scalar.named(name)).collect()
}

fn tags(name: &str, max: usize) -> Vec<Sample> {
    let tag = |number: usize, key: &str, value: &str| -> Pairs {
        let field = |field: &str| format!("{name}.{number}.{field}");
        vec![
            (field("Key"), key.to_owned()),
            (field("Value"), value.to_owned()),
        ]
    };
    let many = |count: usize| {
        (1..=count)
            .flat_map(|number| tag(number, &format!("k{number}"), "v"))
            .collect()
    };
    let mut all: Vec<Sample> = [
        tag(1, "k", "v"),
        tag(3, &"字".repeat(64), &"字".repeat(128)),
        tag(1, "k", ""),
        many(max),
    ]
    .map(|pairs| Sample {
        says: Says::List(Vec::new()),
        pairs,
    })
    .into();
    all.extend(
        [
            tag(1, &"k".repeat(65), "v"),
            tag(1, "k", &"v".repeat(129)),
            tag(1, "aliyun-k", "v"),
            tag(1, "acs:k", "v"),
            tag(1, "http://k", "v"),
            tag(1, "k", "see https://v"),
        ]
        .map(|pairs| Sample {
            says: Says::Malformed,
            pairs,
        }),
    );
    all.push(Sample {
        says: Says::TooLong,
        pairs: many(max + 1),
    });
    let pairs = vec![(format!("{name}.2.Value"), "v".to_owned())];
    all.push(Sample {
        says: Says::NoKey,
        pairs,
    });
    all
}

fn map(name: &str) -> Vec<Sample> {
    let fine = ["{}", "{\"a\":\"b\"}", "{\"a\":1,\"b\":true}"].map(good);
    let wrong = ["no JSON", "[]", "{\"a\":{}}", "\"x\"", "1"].map(bad);
    fine.into_iter()
        .chain(wrong)
        .map(|scalar| scalar.named(name))
        .collect()
}

/// An object of each sample of each member, in both of its shapes; the other members are there only
/// where they have to be.
fn object(name: &str, members: &[Parameter]) -> Vec<Sample> {
    let mut all = Vec::new();
    for (index, member) in members.iter().enumerate() {
        for sample in samples(member, &[]) {
            let mut given: Vec<(Parameter, Sample)> = members
                .iter()
                .enumerate()
                .map(|(at, other)| {
                    let needed = || samples(other, &[]).swap_remove(0);
                    let sample = match () {
                        () if at == index => sample.clone(),
                        () if other.required => needed(),
                        () => Sample::absent(),
                    };
                    (*other, sample)
                })
                .collect();
            all.extend(shapes(name, &given));
            // A second member, so that what holds between two is met.
            if let Some((second, place)) = members.get(index + 1).zip(given.get_mut(index + 1)) {
                place.1 = samples(second, &[]).swap_remove(0);
                all.extend(shapes(name, &given));
            }
        }
    }
    let says = || {
        Says::Object(
            members
                .iter()
                .map(|member| (*member, Says::Absent))
                .collect(),
        )
    };
    all.push(Sample {
        says: says(),
        pairs: vec![(name.to_owned(), "{}".to_owned())],
    });
    all.push(Sample {
        says: says(),
        pairs: vec![(name.to_owned(), "{\"Nonsense\":1}".to_owned())],
    });
    let broken = ["no JSON", "[]", "5", "\"x\"", "{\"a\"", "null"];
    let mut broken: Vec<Pairs> = broken
        .map(|text| vec![(name.to_owned(), text.to_owned())])
        .into();
    if let Some(member) = members.first() {
        let inner = format!("{{\"{}\":{{}}}}", member.name);
        broken.push(vec![(name.to_owned(), inner)]);
        let dotted = (format!("{name}.{}", member.name), "true".to_owned());
        broken.push(vec![(name.to_owned(), "{}".to_owned()), dotted]);
    }
    all.extend(broken.into_iter().map(|pairs| Sample {
        says: Says::Unreadable,
        pairs,
    }));
    all
}

/// The same members as JSON text and dotted.
fn shapes(name: &str, given: &[(Parameter, Sample)]) -> Vec<Sample> {
    let says = || {
        Says::Object(
            given
                .iter()
                .map(|(member, sample)| (*member, sample.says.clone()))
                .collect(),
        )
    };
    let pairs = || given.iter().flat_map(|(_, sample)| &sample.pairs);
    let dotted: Pairs = pairs()
        .map(|(member, text)| (format!("{name}.{member}"), text.clone()))
        .collect();
    let mut json = serde_json::Map::new();
    for (member, sample) in given {
        let is_list = matches!(member.kind, Kind::List { .. });
        let texts: Vec<&str> = sample.pairs.iter().map(|(_, text)| text.as_str()).collect();
        match (is_list, texts.as_slice()) {
            // Only what JSON can say too.
            (true, _)
                if !matches!(sample.says, Says::List(_) | Says::Malformed | Says::TooMany) => {}
            (true, texts) => {
                json.insert(member.name.to_owned(), texts.into());
            }
            (false, [text]) => {
                json.insert(member.name.to_owned(), (*text).into());
            }
            (false, _) => {}
        }
    }
    let json_says = match given.iter().any(|(member, sample)| {
        matches!(member.kind, Kind::List { .. }) && matches!(sample.says, Says::Unreadable)
    }) {
        true => None,
        false => Some(says()),
    };
    let text = serde_json::Value::Object(json).to_string();
    let mut shapes: Vec<Sample> = json_says
        .map(|says| Sample {
            says,
            pairs: vec![(name.to_owned(), text)],
        })
        .into_iter()
        .collect();
    // With nothing in it there is no object.
    if dotted.iter().any(|(_, text)| !text.is_empty()) {
        shapes.push(Sample {
            says: says(),
            pairs: dotted,
        });
    }
    shapes
}
