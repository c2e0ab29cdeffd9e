//! The heart-beat and the update check (wire-protocol 10.5).

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The interval that a relay asks for, in milliseconds: the middle of what the official agent
/// accepts.
pub const HEART_BEAT_MS: u64 = 60_000;

/// Characters of a text that are read at most.
const LONGEST: usize = 256;

/// A heart-beat's query. The official agent has three forms of it: with what it tells of the machine
/// until one was acknowledged, without from then on, and with more of it towards a server that once
/// asked for it in `errMsg`, as this one never does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeartBeat {
    /// The machine's, in milliseconds.
    pub uptime: u64,
    /// Unix milliseconds on the agent's clock.
    pub timestamp: u64,
    /// The agent's process id.
    pub pid: u32,
    /// The agent's, in milliseconds.
    pub process_uptime: u64,
    /// How many beats were acknowledged.
    pub index: u64,
    /// How many beats were sent.
    pub seq_no: u64,
    /// What the first and the long form add.
    pub machine: Option<Machine>,
}

/// What a heart-beat tells of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Always `kvm`.
    pub virt_type: String,
    /// Such as `Linux_#1 SMP …_x86_64`.
    pub os_version: String,
    /// The zone that the metadata service told, or `unknown`.
    pub az: String,
    /// The machine id; the long form leaves it out.
    pub machine_id: Option<String>,
    /// Whether this is the agent's first start since the machine's; only until a beat was
    /// acknowledged.
    pub cold_start: Option<bool>,
    /// What only the long form has.
    pub program: Option<Program>,
}

/// What the long form of a heart-beat tells of the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Always `golang`.
    pub lang: String,
    /// `linux`, `windows` or `freebsd`.
    pub os_type: String,
    /// Four numbers with dots.
    pub app_version: String,
}

/// A query that is no heart-beat's: it lacks one of the six numbers that all forms have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter {0} is missing or no number")]
pub struct NoHeartBeat(pub &'static str);

impl fmt::Display for HeartBeat {
    /// The query string, its parameters in the official agent's order.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, number) in [
            ("uptime", self.uptime),
            ("timestamp", self.timestamp),
            ("pid", u64::from(self.pid)),
            ("process_uptime", self.process_uptime),
            ("index", self.index),
            ("seq_no", self.seq_no),
        ] {
            query.append_pair(name, &number.to_string());
        }
        if let Some(machine) = &self.machine {
            machine.append_to(&mut query);
        }
        out.write_str(&query.finish())
    }
}

impl Machine {
    fn append_to(&self, query: &mut form_urlencoded::Serializer<'_, String>) {
        query.append_pair("virt_type", &self.virt_type);
        if let Some(program) = &self.program {
            query.append_pair("lang", &program.lang);
            query.append_pair("os_type", &program.os_type);
        }
        query.append_pair("os_version", &self.os_version);
        if let Some(program) = &self.program {
            query.append_pair("app_version", &program.app_version);
        }
        query.append_pair("az", &self.az);
        if let Some(machine_id) = &self.machine_id {
            query.append_pair("machineid", machine_id);
        }
        if let Some(cold_start) = self.cold_start {
            query.append_pair("cold_start", &cold_start.to_string());
        }
    }
}

impl FromStr for HeartBeat {
    type Err = NoHeartBeat;

    /// Reads the query string; parameters that are not known are passed over.
    fn from_str(query: &str) -> Result<Self, NoHeartBeat> {
        let pairs: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let text = |name| pairs.get(name).map(|value| value.chars().take(LONGEST));
        let owned = |name| text(name).map(Iterator::collect::<String>);
        let number = |name| {
            let value = pairs.get(name).and_then(|value| value.parse::<u64>().ok());
            value.ok_or(NoHeartBeat(name))
        };
        let program = || {
            Some(Program {
                lang: owned("lang")?,
                os_type: owned("os_type").unwrap_or_default(),
                app_version: owned("app_version").unwrap_or_default(),
            })
        };
        let machine = || {
            Some(Machine {
                virt_type: owned("virt_type")?,
                os_version: owned("os_version").unwrap_or_default(),
                az: owned("az").unwrap_or_default(),
                machine_id: owned("machineid"),
                cold_start: pairs.get("cold_start").and_then(|value| value.parse().ok()),
                program: program(),
            })
        };
        Ok(Self {
            uptime: number("uptime")?,
            timestamp: number("timestamp")?,
            pid: u32::try_from(number("pid")?).map_err(|_| NoHeartBeat("pid"))?,
            process_uptime: number("process_uptime")?,
            index: number("index")?,
            seq_no: number("seq_no")?,
            machine: machine(),
        })
    }
}

/// The answer to a heart-beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeartBeatReply {
    /// Milliseconds to the next one; the official agent takes 55,000 to 65,000 and else draws its
    /// own.
    pub next_interval: u64,
    /// What is wrong with the beat, which has not been acknowledged then. A relay of ours says
    /// nothing of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub err_msg: Option<String>,
}

impl HeartBeatReply {
    /// Whether the server misses a parameter, and wants the long form from now on: it says `Required
    /// request parameter 'x' for method parameter type T is not present`.
    #[must_use]
    pub fn wants_long_form(&self) -> bool {
        let told = self.err_msg.as_deref().unwrap_or_default();
        let rest = told
            .split_once("Required request parameter '")
            .and_then(|(_, rest)| rest.split_once("' for method parameter type "));
        rest.is_some_and(|(_, rest)| rest.contains(" is not present"))
    }
}

impl Default for HeartBeatReply {
    fn default() -> Self {
        Self {
            next_interval: HEART_BEAT_MS,
            err_msg: None,
        }
    }
}

/// What an agent says when it asks for an update of itself, its members in the official agent's
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateRequest {
    /// `linux`, `windows` or `freebsd`.
    pub os: String,
    /// Such as `amd64`.
    pub arch: String,
    /// Such as `Linux_#1 SMP …_x86_64`.
    pub os_version: String,
    /// [`APP_ID`].
    pub app_id: String,
    /// Four numbers with dots.
    pub app_version: String,
    /// Such as `6.18.44`.
    pub kernel_version: String,
}

/// What the agent is called in an update check.
pub const APP_ID: &str = "aliyun assistant";

/// The answer to an update check: never anything to update, for an official agent would download
/// and run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateReply {
    flag: i64,
    /// Not 0: there is something to download and run.
    pub need_update: i64,
    /// Seconds to the next check.
    pub next_interval: u64,
    #[serde(rename = "instanceId")]
    instance_id: String,
    update_info: UpdateInfo,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct UpdateInfo {
    file_name: String,
    md5: String,
    url: String,
}

impl Default for UpdateReply {
    fn default() -> Self {
        Self {
            flag: 0,
            need_update: 0,
            next_interval: 1_800,
            instance_id: String::new(),
            update_info: UpdateInfo::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_form_reads_and_is_written_to_the_byte() {
        let query = "uptime=1&timestamp=2&pid=3&process_uptime=4&index=0&seq_no=0&virt_type=kvm\
                     &lang=golang&os_type=linux&os_version=Linux_%231+SMP&app_version=2.2.3.500\
                     &az=cn-x-1&cold_start=false";

        let beat: HeartBeat = query.parse().expect("reads");

        let program = beat.machine.as_ref().and_then(|told| told.program.as_ref());
        assert_eq!(program.expect("told").app_version, "2.2.3.500");
        assert_eq!(beat.to_string(), query);
    }

    #[test]
    fn only_a_parameter_that_is_missed_asks_for_the_long_form() {
        let told = |message: &str| {
            let reply = format!(r#"{{"nextInterval":60000,"errMsg":"{message}"}}"#);
            let reply: HeartBeatReply = serde_json::from_str(&reply).expect("reads");
            reply.wants_long_form()
        };

        assert!(told(
            "Required request parameter 'lang' for method parameter type String is not present"
        ));
        assert!(!told("busy"));
        let calm: HeartBeatReply = serde_json::from_str("{}").expect("reads");
        assert!(!calm.wants_long_form());
    }

    #[test]
    fn what_lacks_a_number_is_no_heart_beat() {
        let missing = "uptime=1&timestamp=2&pid=3&process_uptime=4&index=0";

        assert_eq!(missing.parse::<HeartBeat>(), Err(NoHeartBeat("seq_no")));
        assert_eq!("uptime=-1".parse::<HeartBeat>(), Err(NoHeartBeat("uptime")));
        let large = format!("{missing}&seq_no=1").replace("pid=3", "pid=4294967296");
        assert_eq!(large.parse::<HeartBeat>(), Err(NoHeartBeat("pid")));
    }
}
