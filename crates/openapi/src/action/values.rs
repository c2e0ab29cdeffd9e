//! Reading an action's parameters by the table: from names and texts to checked values.

mod flat;

use std::collections::{BTreeMap, BTreeSet};

use axt_proto::RegionId;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::flat::{below, expand, numbered, tagged, texts_of_list, texts_of_map};
use super::Request;
use crate::{
    ApiError, Caller, ErrorCode, RegionState, World,
    description::{Description, Form, Kind, Parameter, RegionRule, Rule, is_decimal},
};

/// Checked values by the names of the page: defaults filled in, words in the spelling of the table,
/// numbers as numbers.
#[derive(Clone, Debug)]
pub struct Values {
    map: Map<String, Value>,
    /// The first list that is too long. That is the last thing to be complained about
    /// (limits-and-semantics 3, step 5), so it waits here.
    excess: Option<ApiError>,
}

/// What reading the parameters of an action has found.
pub(crate) struct Read {
    /// The checked values.
    pub(crate) values: Values,
    /// The region, if one was named.
    pub(crate) region: Option<RegionId>,
    /// The names that mean nothing here.
    pub(crate) ignored: Vec<String>,
}

/// Steps 1 to 4 of limits-and-semantics 3, and the rules of the table from step 5.
pub(crate) fn read(
    description: &Description,
    flat: &BTreeMap<String, String>,
    caller: &Caller,
    world: &dyn World,
) -> Result<Read, ApiError> {
    let region = region(description.region, flat, world)?;
    if description.region == RegionRule::WithSessionManager
        && !world.session_manager_enabled(&caller.account)
    {
        return Err(ErrorCode::UserBehaviorSessionManagerDisabled.into());
    }
    let mut reader = Reader::new(flat);
    reader.used.insert("RegionId".to_owned());
    let mut map = reader.members(description.parameters)?;
    if let Some(region) = &region {
        map.insert("RegionId".to_owned(), Value::from(region.as_str()));
    }
    description
        .rules
        .iter()
        .try_for_each(|rule| rule.check(&map))?;
    Ok(Read {
        region,
        ignored: reader.unused(),
        values: Values {
            map,
            excess: reader.excess,
        },
    })
}

/// Step 1: present, known, with the feature.
fn region(
    rule: RegionRule,
    flat: &BTreeMap<String, String>,
    world: &dyn World,
) -> Result<Option<RegionId>, ApiError> {
    let Some(name) = flat.get("RegionId") else {
        return if rule.is_required() {
            Err(ApiError::missing("RegionId"))
        } else {
            Ok(None)
        };
    };
    let region: RegionId = name
        .parse()
        .map_err(|_| ErrorCode::InvalidRegionIdNotFound)?;
    match (world.region(&region), rule) {
        (RegionState::Unknown, _) => Err(ErrorCode::InvalidRegionIdNotFound.into()),
        (RegionState::ApiNotSupported, RegionRule::WithApi | RegionRule::WithSessionManager) => {
            Err(ErrorCode::RegionIdApiNotSupported.into())
        }
        _ => Ok(Some(region)),
    }
}

impl Rule {
    fn check(&self, map: &Map<String, Value>) -> Result<(), ApiError> {
        let has = |name: &str| map.contains_key(name);
        let has_any = |names: &[&str]| names.iter().any(|name| has(name));
        match *self {
            Self::Requires(first, second, code) if has(first) && !has(second) => Err(code.into()),
            Self::Excludes(first, others, code) if has(first) && has_any(others) => {
                Err(code.into())
            }
            Self::Needs(first, word, others)
                if map.get(first).is_some_and(|value| value == word) && !has_any(others) =>
            {
                let named = others.first().copied().unwrap_or(first);
                Err(ApiError::missing(named))
            }
            _ => Ok(()),
        }
    }
}

impl Values {
    /// Fills the action's type, and checks what the table cannot say.
    pub(super) fn into_request<T: Request>(
        self,
        caller: &Caller,
        world: &dyn World,
    ) -> Result<T, ApiError> {
        // The table and the type agree (a test holds them together), so this cannot fail.
        let mut request: T = serde_json::from_value(Value::Object(self.map))
            .map_err(|_| ErrorCode::InvalidParameter)?;
        request.settle(caller, world)?;
        self.excess.map_or(Ok(request), Err)
    }

    /// The values as JSON.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }
}

/// Reads the members of one object: of the call itself, or of an object among its parameters.
struct Reader<'a> {
    flat: &'a BTreeMap<String, String>,
    used: BTreeSet<String>,
    /// Members of objects that mean nothing, named in full.
    ignored: Vec<String>,
    excess: Option<ApiError>,
}

impl<'a> Reader<'a> {
    fn new(flat: &'a BTreeMap<String, String>) -> Self {
        Self {
            flat,
            used: BTreeSet::new(),
            ignored: Vec::new(),
            excess: None,
        }
    }
}

impl Reader<'_> {
    fn members(&mut self, parameters: &[Parameter]) -> Result<Map<String, Value>, ApiError> {
        let missing = parameters.iter().find(|it| it.required && !self.has(it));
        if let Some(parameter) = missing {
            return Err(ApiError::missing(parameter.name));
        }
        let mut map = Map::new();
        for parameter in parameters {
            if let Some(value) = self.value(parameter)? {
                map.insert(parameter.name.to_owned(), value);
            }
        }
        Ok(map)
    }

    fn has(&self, parameter: &Parameter) -> bool {
        match parameter.kind {
            // A name such as `InstanceId.x` is no item; an ambiguous list is there.
            Kind::List { .. } => {
                numbered(self.flat, parameter.name).map_or(true, |found| !found.values.is_empty())
            }
            Kind::Object(_) if below(self.flat, parameter.name).next().is_some() => true,
            _ => self.flat.contains_key(&*parameter.key()),
        }
    }

    fn value(&mut self, parameter: &Parameter) -> Result<Option<Value>, ApiError> {
        match parameter.kind {
            Kind::List { max, form } => return self.list(parameter, max, form),
            Kind::Tags { max } => return self.tags(parameter, max),
            Kind::Object(members) => return self.object(parameter, members),
            _ => {}
        }
        let key = parameter.key();
        let given = self.flat.get(&*key).map(String::as_str);
        if given.is_some() {
            self.used.insert(key.into_owned());
        }
        if parameter
            .unless
            .iter()
            .any(|other| self.flat.contains_key(*other))
        {
            return Ok(None);
        }
        let text = given.or(parameter.default);
        text.map(|text| scalar(parameter, text)).transpose()
    }

    fn list(
        &mut self,
        parameter: &Parameter,
        max: usize,
        form: Form,
    ) -> Result<Option<Value>, ApiError> {
        let found = numbered(self.flat, parameter.name)?;
        if !found.values.iter().all(|value| form.accepts(value)) {
            return Err(parameter.fault());
        }
        self.used.extend(found.names);
        if found.values.len() > max {
            self.excess.get_or_insert_with(|| parameter.excess());
        }
        let list: Vec<Value> = found.values.into_iter().map(Value::from).collect();
        Ok((!list.is_empty()).then_some(Value::Array(list)))
    }

    fn tags(&mut self, parameter: &Parameter, max: usize) -> Result<Option<Value>, ApiError> {
        let found = tagged(self.flat, parameter)?;
        self.used.extend(found.names);
        if found.values.len() > max {
            return Err(parameter.excess());
        }
        Ok((!found.values.is_empty()).then_some(Value::Array(found.values)))
    }

    fn object(
        &mut self,
        parameter: &Parameter,
        members: &[Parameter],
    ) -> Result<Option<Value>, ApiError> {
        let Some(object) = expand(self.flat, parameter, members)? else {
            return Ok(None);
        };
        self.used.extend(object.names);
        let mut inner = Reader::new(&object.members);
        let map = inner.members(members)?;
        self.excess = self.excess.take().or_else(|| inner.excess.take());
        let unused = inner.unused();
        self.ignored.extend(
            unused
                .iter()
                .map(|member| format!("{}.{member}", parameter.name)),
        );
        Ok(Some(Value::Object(map)))
    }

    fn unused(&self) -> Vec<String> {
        let unused = self.flat.keys().filter(|name| !self.used.contains(*name));
        self.ignored.iter().chain(unused).cloned().collect()
    }
}

/// A value that stands in one text.
fn scalar(parameter: &Parameter, text: &str) -> Result<Value, ApiError> {
    match parameter.kind {
        Kind::Text { min, max, form } => {
            let length = text.chars().count();
            if length > max {
                return Err(parameter.excess());
            }
            if length < min || !form.accepts(text) {
                return Err(parameter.fault());
            }
            Ok(Value::from(text))
        }
        Kind::Integer { min, max } => {
            let number: Option<u32> = text.parse().ok().filter(|_| is_decimal(text));
            let number = number.filter(|number| (min..=max).contains(number));
            number.map(Value::from).ok_or_else(|| parameter.fault())
        }
        Kind::Boolean => match text {
            _ if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            _ if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err(parameter.fault()),
        },
        Kind::Choice { words, exact } => words
            .iter()
            .find(|word| {
                if exact {
                    **word == text
                } else {
                    word.eq_ignore_ascii_case(text)
                }
            })
            .map(|word| Value::from(*word))
            .ok_or_else(|| parameter.fault()),
        Kind::JsonList { max } => texts_of_list(text)
            .filter(|list| list.len() <= max)
            .map(Value::from)
            .ok_or_else(|| parameter.fault()),
        Kind::Map => texts_of_map(text)
            .map(Value::Object)
            .ok_or_else(|| parameter.fault()),
        Kind::List { .. } | Kind::Tags { .. } | Kind::Object(_) => Err(parameter.fault()),
    }
}

/// An object of which nothing was given: the defaults of the table. `None` when a member has none
/// and is required.
pub(super) fn unset<T: DeserializeOwned>(members: &[Parameter]) -> Option<T> {
    let nothing = BTreeMap::new();
    let map = Reader::new(&nothing).members(members).ok()?;
    serde_json::from_value(Value::Object(map)).ok()
}

/// The texts of a list, whichever way it came; none when it cannot be read.
pub(super) fn lenient_list(flat: &BTreeMap<String, String>, name: &str) -> Vec<String> {
    if let Some(list) = flat.get(name).and_then(|text| texts_of_list(text)) {
        return list;
    }
    numbered(flat, name)
        .map(|found| found.values)
        .unwrap_or_default()
}
