//! Calls that are made of samples: each sample once with the rest in order, then any together.

use axt_openapi::{
    ActionName,
    description::{Description, Kind, Parameter},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::TestRunner,
};

use super::sample::{Pairs, Sample, Says, samples};
use crate::raw::{By, EVERY_WAY};

/// How many calls there are of each action beside those of one sample each.
const MIXED: usize = 220;

/// What is there to be named.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// An instance whose agent is connected.
    pub(super) instance: String,
    /// A session to it.
    pub(super) session: String,
    /// An activation that nothing has registered with.
    pub(super) activation: String,
    /// A command that is kept.
    pub(super) command: String,
    /// Another activation, for DeleteActivation.
    pub(super) doomed: String,
}

/// A call that is yet to be signed.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) action: ActionName,
    pub(super) region: Region,
    /// In the order of the description.
    pub(super) given: Vec<(Parameter, Sample)>,
    pub(super) dress: Dress,
}

/// What stands in RegionId.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Region {
    /// Where the instance is.
    Home,
    /// Another one.
    Other,
    /// One in which the API is switched off.
    WithoutApi,
    Unknown,
    Malformed,
    Absent,
}

impl Region {
    fn text(self) -> Option<&'static str> {
        match self {
            Self::Home => Some("cn-hangzhou"),
            Self::Other => Some("cn-shanghai"),
            Self::WithoutApi => Some("cn-beijing"),
            Self::Unknown => Some("cn-nowhere"),
            Self::Malformed => Some("no region!"),
            Self::Absent => None,
        }
    }
}

/// What makes no difference to what is said, or should make none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dress {
    pub(super) by: By,
    /// The answer is asked for as XML, where the signature leaves that open.
    pub(super) is_xml: bool,
    /// First letters in lower case (ecs-api 1.1).
    pub(super) is_lower: bool,
    /// Parameters that no action knows.
    pub(super) surplus: bool,
    /// A parameter is given a second time: see [`Twice`].
    pub(super) twice: Twice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twice {
    No,
    /// With another value, beside the first: that is refused before all else.
    Beside,
    /// In the query with another value, while the body wins (ecs-api 1.1).
    Below,
}

impl Case {
    /// The parameters as they are sent. `number` makes each ClientToken a new one.
    pub(super) fn pairs(&self, number: usize) -> Pairs {
        let mut pairs: Pairs = self
            .region
            .text()
            .into_iter()
            .map(|text| ("RegionId".to_owned(), text.to_owned()))
            .collect();
        for (parameter, sample) in &self.given {
            let mut sent = sample.pairs.clone();
            let is_token = parameter.name == "ClientToken" && matches!(sample.says, Says::Text(_));
            for (_, text) in sent.iter_mut().filter(|_| is_token) {
                let number = format!("{number:05}");
                let rest = text.get(number.len()..).unwrap_or_default();
                *text = format!("{number}{rest}");
            }
            pairs.extend(sent);
        }
        if self.dress.surplus {
            let surplus = [
                ("Nonsense", "1"),
                ("OwnerId", "x"),
                ("ResourceOwnerAccount", "汉"),
            ];
            pairs.extend(surplus.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        if self.dress.is_xml {
            pairs.extend(
                matches!(self.dress.by, By::Acs3(_))
                    .then(|| ("Format".to_owned(), "XML".to_owned())),
            );
        }
        for (name, _) in pairs.iter_mut().filter(|_| self.dress.is_lower) {
            let (first, rest) = name.split_at(1);
            *name = format!("{}{rest}", first.to_lowercase());
        }
        pairs
    }

    pub(super) fn says(&self, name: &str) -> &Says {
        let found = self
            .given
            .iter()
            .find(|(parameter, _)| parameter.name == name);
        found.map_or(&Says::Absent, |(_, sample)| &sample.says)
    }
}

/// The choices of an action: each parameter's samples, the first of them good.
struct Choices {
    action: ActionName,
    parameters: Vec<(Parameter, Vec<Sample>)>,
}

impl Choices {
    fn of(action: ActionName, known: &Known) -> Self {
        let description: Description = action.description();
        let parameters = description.parameters.iter().map(|parameter| {
            let known = match (parameter.name, parameter.kind) {
                ("InstanceId", Kind::List { .. }) => vec![known.instance.as_str()],
                ("CommandId", _) => vec![known.command.as_str()],
                ("SessionId", _) => vec![known.session.as_str()],
                ("ActivationId", _) if action == ActionName::DeleteActivation => {
                    vec![known.doomed.as_str()]
                }
                ("ActivationId", _) => vec![known.activation.as_str()],
                ("statusKey", _) => vec!["sessionManagerStatus"],
                _ => Vec::new(),
            };
            (*parameter, samples(parameter, &known))
        });
        Self {
            action,
            parameters: parameters.collect(),
        }
    }

    fn ordinary(&self, dress: Dress) -> Case {
        let given = self.parameters.iter().map(|(parameter, samples)| {
            let sample = samples.first().filter(|_| parameter.required).cloned();
            (*parameter, sample.unwrap_or_else(Sample::absent))
        });
        Case {
            action: self.action,
            region: Region::Home,
            given: given.collect(),
            dress,
        }
    }

    /// Each sample once, and each region, with the rest in order.
    fn single(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        let dress = |number: usize| plain(EVERY_WAY[number % EVERY_WAY.len()]);
        for region in [
            Region::Home,
            Region::Other,
            Region::WithoutApi,
            Region::Unknown,
            Region::Malformed,
            Region::Absent,
        ] {
            cases.push(Case {
                region,
                ..self.ordinary(dress(cases.len()))
            });
        }
        for (index, (parameter, samples)) in self.parameters.iter().enumerate() {
            let left_out = [Sample::absent()];
            for sample in samples.iter().chain(&left_out) {
                let mut case = self.ordinary(dress(cases.len()));
                case.given[index] = (*parameter, sample.clone());
                cases.push(case);
            }
        }
        cases
    }

    /// Any samples together: about half of the parameters there, one in eight wrong.
    fn mixed(&self) -> impl Strategy<Value = Case> {
        let ordinary = self.ordinary(plain(EVERY_WAY[0]));
        let parameters = self.parameters.clone();
        let choices = vec((0..16_u8, any::<Index>()), parameters.len());
        (choices, region(), dress()).prop_map(move |(choices, region, dress)| {
            let mut case = Case {
                region,
                dress,
                ..ordinary.clone()
            };
            for ((place, (_, samples)), (way, index)) in
                case.given.iter_mut().zip(&parameters).zip(choices)
            {
                let wrong = way < 2;
                let fitting: Vec<&Sample> = samples
                    .iter()
                    .filter(|sample| sample.is_wrong() == wrong)
                    .collect();
                if way < 9 && !fitting.is_empty() {
                    place.1 = (*index.get(&fitting)).clone();
                }
            }
            case
        })
    }
}

fn plain(by: By) -> Dress {
    Dress {
        by,
        is_xml: false,
        is_lower: false,
        surplus: false,
        twice: Twice::No,
    }
}

fn region() -> impl Strategy<Value = Region> {
    prop_oneof![
        16 => Just(Region::Home),
        2 => Just(Region::Other),
        1 => select(vec![Region::WithoutApi, Region::Unknown, Region::Malformed, Region::Absent]),
    ]
}

fn dress() -> impl Strategy<Value = Dress> {
    let twice =
        prop_oneof![16 => Just(Twice::No), 1 => Just(Twice::Beside), 2 => Just(Twice::Below)];
    let seldom = || proptest::bool::weighted(0.2);
    (
        select(EVERY_WAY.to_vec()),
        any::<bool>(),
        seldom(),
        seldom(),
        twice,
    )
        .prop_map(|(by, is_xml, is_lower, surplus, twice)| Dress {
            by,
            is_xml,
            is_lower,
            surplus,
            twice,
        })
}

/// All calls, the same ones at each run; those of different actions stand among each other.
pub(super) fn all(known: &Known) -> Vec<Case> {
    let mut runner = TestRunner::deterministic();
    let mut cases = Vec::new();
    for action in ActionName::ALL.iter().copied() {
        let choices = Choices::of(action, known);
        cases.extend(choices.single());
        let mixed = vec(choices.mixed(), MIXED).new_tree(&mut runner);
        cases.extend(mixed.expect("a value").current());
    }
    let shuffled = Just(cases).prop_shuffle().new_tree(&mut runner);
    shuffled.expect("a value").current()
}
