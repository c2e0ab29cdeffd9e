//! A session object as the Go program reads it (wire-protocol 10.4).

use serde_json::Value;

/// The speed of a session that is told none.
const DEFAULT_SPEED: u32 = 204_800;

#[derive(Debug)]
pub(super) struct Object {
    pub(super) channel: String,
    pub(super) command: String,
    pub(super) username: String,
    pub(super) host: String,
    /// As text; not empty makes it a port session.
    pub(super) port: String,
    flow_limit: u32,
}

impl Object {
    /// Reads it. Go refuses a member of another type, and knows no member that it was not built
    /// with.
    pub(super) fn read(object: &Value) -> Result<Self, String> {
        const MEMBERS: [&str; 8] = [
            "cmdContent",
            "username",
            "windowsPasswordName",
            "channelId",
            "websocketUrl",
            "targetHost",
            "portNumber",
            "flowLimit",
        ];
        let members = object.as_object().ok_or("it is no object")?;
        if let Some(other) = members
            .keys()
            .find(|name| !MEMBERS.contains(&name.as_str()))
        {
            return Err(format!("the official service has no member `{other}`"));
        }
        let text = |name: &str| match members.get(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(format!("`{name}` is no text")),
        };
        let channel = text("channelId")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(1..=32).contains(&channel.len()) || !channel.bytes().all(is_plain) {
            return Err("the channel id goes into a URL unescaped, and has 1 to 32 bytes".into());
        }
        let flow_limit = match members.get("flowLimit") {
            None => 0,
            Some(limit) => limit
                .as_u64()
                .and_then(|limit| u32::try_from(limit).ok())
                .ok_or("`flowLimit` is no number")?,
        };
        Ok(Self {
            channel,
            command: text("cmdContent")?,
            username: text("username")?,
            host: text("targetHost")?,
            port: text("portNumber")?,
            flow_limit,
        })
    }

    /// Bits a second.
    pub(super) fn speed(&self) -> u32 {
        match self.flow_limit {
            0 => DEFAULT_SPEED,
            told => told,
        }
    }

    /// The most payload of a frame, by which the pace is reckoned.
    pub(super) fn packet(&self) -> u32 {
        if self.port.is_empty() { 1_024 } else { 2_048 }
    }
}
