//! `axt instances`.

use std::{collections::BTreeMap, fs, process::ExitCode};

use axt_client::Admin;
use axt_control::admin::{
    InstanceChange, InstanceDeclaration, InstanceState, InstanceStatus, OsType,
};

use super::print;
use crate::{
    failure::{Failure, say},
    flags::instances::{AddFlags, InstancesAction, InstancesFlags, ListFlags, Ports, SetFlags},
    grid::Grid,
    settings::Settings,
    target,
};

pub(super) async fn run(flags: InstancesFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags.target, settings)?;
    let action = flags.action;
    match action.unwrap_or_else(|| InstancesAction::List(ListFlags::default())) {
        InstancesAction::List(flags) => list(&admin, &flags).await?,
        InstancesAction::Add(flags) => add(&admin, *flags).await?,
        InstancesAction::Set(flags) => set(&admin, *flags).await?,
        InstancesAction::Remove { which } => remove(&admin, &which).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(admin: &Admin, flags: &ListFlags) -> Result<(), Failure> {
    let all = admin.state().await?.instances;
    let shown = if flags.which.is_empty() {
        all
    } else {
        let found = flags.which.iter().map(|which| find(which, &all).cloned());
        found.collect::<Result<_, _>>()?
    };
    if flags.json {
        return print(&serde_json::to_string_pretty(&shown).map_err(Failure::failed)?);
    }
    if flags.quiet {
        let ids: Vec<&str> = shown.iter().map(|instance| instance.id.as_str()).collect();
        return if ids.is_empty() {
            Ok(())
        } else {
            print(&ids.join("\n"))
        };
    }
    print(&table(&shown))
}

async fn add(admin: &Admin, flags: AddFlags) -> Result<(), Failure> {
    let public_key =
        match &flags.public_key {
            Some(path) => Some(fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!("cannot read {}: {error}", path.display()))
            })?),
            None => None,
        };
    let has_key = public_key.is_some();
    let declaration = InstanceDeclaration {
        id: flags.instance,
        name: flags.name,
        region: flags.region,
        account: flags.account,
        status: flags.status,
        os_type: flags.os_type,
        public_key,
        machine_id: flags.machine_id,
        agent_version: flags.agent_version,
        denied_ports: flags.denied_ports,
        intranet_ip: flags.intranet_ip,
        internet_ip: flags.internet_ip,
    };
    let id = admin.declare_instance(&declaration).await?;
    say(&if has_key {
        format!("declared; its agent:  axt agent -i {id} --key FILE")
    } else {
        "declared, without a key: an agent comes for it only where the relay has --allow-unsigned"
            .to_owned()
    });
    print(id.as_str())
}

async fn set(admin: &Admin, flags: SetFlags) -> Result<(), Failure> {
    let change = InstanceChange {
        region: flags.region,
        host_name: flags.host_name,
        tags: tags(&flags.tag)?,
        name: flags.name,
        status: flags.status,
        os_type: flags.os_type,
        agent_version: flags.agent_version,
        denied_ports: flags.denied_ports.map(|Ports(ports)| ports),
    };
    if change == InstanceChange::default() {
        return Err(Failure::usage("nothing is to be changed")
            .hint("`axt instances set --help` shows what can be"));
    }
    let id = find(&flags.which, &admin.state().await?.instances)?
        .id
        .clone();
    admin.change_instance(&id, &change).await?;
    say(&format!("{id} is changed"));
    Ok(())
}

async fn remove(admin: &Admin, which: &[String]) -> Result<(), Failure> {
    let all = admin.state().await?.instances;
    // All of them are known before the first one is gone.
    let ids = which.iter().map(|which| Ok(find(which, &all)?.id.clone()));
    for id in ids.collect::<Result<Vec<_>, Failure>>()? {
        admin.remove_instance(&id).await?;
        say(&format!("{id} is removed"));
    }
    Ok(())
}

/// The instance with that id, or else the only one with that name.
fn find<'a>(which: &str, all: &'a [InstanceState]) -> Result<&'a InstanceState, Failure> {
    if let Some(found) = all.iter().find(|one| one.id.as_str() == which) {
        return Ok(found);
    }
    let named: Vec<_> = all.iter().filter(|one| one.name == which).collect();
    match named.as_slice() {
        [only] => Ok(only),
        [] => Err(Failure::failed(format!(
            "there is no instance with the id or the name `{which}`"
        ))
        .hint("`axt instances` lists them")),
        several => {
            let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
            Err(
                Failure::failed(format!("{} instances are called `{which}`", several.len()))
                    .hint(format!("name one by its id: {}", ids.join(", "))),
            )
        }
    }
}

fn tags(given: &[String]) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let pair = |tag: &String| {
        let (key, value) = tag
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{tag}` is no tag: expected KEY=VALUE")))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    let tags: BTreeMap<_, _> = given.iter().map(pair).collect::<Result<_, Failure>>()?;
    Ok(Some(tags).filter(|tags| !tags.is_empty()))
}

/// A line an instance.
fn table(instances: &[InstanceState]) -> String {
    let headers = [
        "INSTANCE",
        "NAME",
        "REGION",
        "STATUS",
        "OS",
        "AGENT",
        "VERSION",
        "IP",
        "CONNECTIONS",
        "DENIED PORTS",
    ];
    let rows: Vec<_> = instances.iter().map(row).collect();
    let mut grid = Grid::new(headers.map(str::to_owned));
    grid.lines(&rows).join("\n")
}

fn row(instance: &InstanceState) -> Vec<String> {
    let or_dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let ports: Vec<_> = instance.denied_ports.iter().map(u16::to_string).collect();
    vec![
        instance.id.to_string(),
        instance.name.clone(),
        instance.region.to_string(),
        status(instance.status).to_owned(),
        os_type(instance.os_type).to_owned(),
        if instance.agent_online {
            "online"
        } else {
            "offline"
        }
        .to_owned(),
        or_dash(instance.agent_version.clone().unwrap_or_default()),
        or_dash(instance.intranet_ip.clone()),
        format!("{}/{}", instance.connections, instance.connections_limit),
        or_dash(ports.join(",")),
    ]
}

const fn status(status: InstanceStatus) -> &'static str {
    match status {
        InstanceStatus::Pending => "Pending",
        InstanceStatus::Starting => "Starting",
        InstanceStatus::Running => "Running",
        InstanceStatus::Stopping => "Stopping",
        InstanceStatus::Stopped => "Stopped",
    }
}

const fn os_type(os_type: OsType) -> &'static str {
    match os_type {
        OsType::Linux => "Linux",
        OsType::Windows => "Windows",
        OsType::FreeBsd => "FreeBSD",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str, name: &str) -> InstanceState {
        InstanceState {
            id: id.parse().expect("valid"),
            name: name.to_owned(),
            region: "cn-hangzhou".parse().expect("valid"),
            account: "1".parse().expect("valid"),
            status: InstanceStatus::Running,
            os_type: OsType::Linux,
            agent_online: false,
            agent_version: None,
            connections: 0,
            connections_limit: 20,
            intranet_ip: String::new(),
            denied_ports: Vec::new(),
        }
    }

    #[test]
    fn an_instance_is_shown_with_its_agent_and_what_its_security_group_refuses() {
        let web = InstanceState {
            agent_online: true,
            agent_version: Some("2.2.4.1065".to_owned()),
            connections: 2,
            intranet_ip: "10.0.0.5".to_owned(),
            denied_ports: vec![22, 3389],
            ..instance("mi-web1", "web-1")
        };
        let stopped = InstanceState {
            status: InstanceStatus::Stopped,
            os_type: OsType::Windows,
            ..instance("i-2", "i-2")
        };

        insta::assert_snapshot!(table(&[web, stopped]), @r"
        INSTANCE  NAME   REGION       STATUS   OS       AGENT    VERSION     IP        CONNECTIONS  DENIED PORTS
        mi-web1   web-1  cn-hangzhou  Running  Linux    online   2.2.4.1065  10.0.0.5  2/20         22,3389
        i-2       i-2    cn-hangzhou  Stopped  Windows  offline  -           -         0/20         -
        ");
    }

    #[test]
    fn an_instance_is_found_by_its_id_before_its_name() {
        let all = [
            instance("i-1", "web"),
            instance("i-2", "i-1"),
            instance("i-3", "db"),
        ];

        let by_id = find("i-1", &all).expect("there");
        let by_name = find("db", &all).expect("there");

        assert_eq!((by_id.id.as_str(), by_name.id.as_str()), ("i-1", "i-3"));
    }

    #[test]
    fn a_name_that_several_have_or_none_stands_for_nobody() {
        let all = [instance("i-1", "web"), instance("i-2", "web")];

        let several = format!("{:?}", find("web", &all).expect_err("two"));
        let none = format!("{:?}", find("db", &all).expect_err("none"));

        assert!(several.contains("i-1, i-2"), "{several}");
        assert!(none.contains("`axt instances` lists them"), "{none}");
    }
}
