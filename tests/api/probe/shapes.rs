//! Samples of what does not stand in one text: lists, tags, maps and objects (ecs-api 1.2).

use axt_openapi::description::{Form, Kind, Parameter};

use super::{
    forms,
    sample::{Pairs, Sample, Says, bad, good, samples},
};

pub(super) fn list(name: &str, max: usize, form: Form, known: &[&str]) -> Vec<Sample> {
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

pub(super) fn json_list(name: &str, max: usize) -> Vec<Sample> {
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

pub(super) fn tags(name: &str, max: usize) -> Vec<Sample> {
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

pub(super) fn map(name: &str) -> Vec<Sample> {
    let fine = ["{}", "{\"a\":\"b\"}", "{\"a\":1,\"b\":true}"].map(good);
    let wrong = ["no JSON", "[]", "{\"a\":{}}", "\"x\"", "1"].map(bad);
    fine.into_iter()
        .chain(wrong)
        .map(|scalar| scalar.named(name))
        .collect()
}

/// An object of each sample of each member, in both of its shapes; the other members are there only
/// where they have to be.
pub(super) fn object(name: &str, members: &[Parameter]) -> Vec<Sample> {
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
