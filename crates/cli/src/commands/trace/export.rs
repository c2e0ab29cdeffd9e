//! `axt trace export`.

use std::{
    fs::OpenOptions,
    io::{self, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    process::ExitCode,
};

use axt_trace::{
    export::{self, ExportError, asciicast, pcapng},
    show,
};

use super::{filter, read};
use crate::{
    failure::{Failure, say},
    flags::trace::{ExportFlags, Form},
};

pub(super) fn run(flags: &ExportFlags) -> Result<ExitCode, Failure> {
    let traces = read(&flags.path)?;
    let records = show::merged(&traces, &filter(&flags.filter));
    let form = flags.form()?;
    let bytes = match form {
        Form::Asciicast => asciicast::write(&records, flags.input)
            .map_err(refused)?
            .into_bytes(),
        Form::Json => {
            let value = export::json(&records);
            let mut text = serde_json::to_string_pretty(&value).map_err(Failure::failed)?;
            text.push('\n');
            text.into_bytes()
        }
        Form::Pcapng => pcapng::write(&records).to_vec(),
    };
    let Some(path) = &flags.output else {
        let mut stdout = io::stdout().lock();
        if form == Form::Pcapng && stdout.is_terminal() {
            return Err(
                Failure::usage("a capture is not for a terminal").hint("name a file by `-o FILE`")
            );
        }
        return match stdout.write_all(&bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(error)),
            _ => Ok(ExitCode::SUCCESS),
        };
    };
    // What a trace tells is its owner's alone in another form too.
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(&bytes))
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
    say(&format!(
        "{} records are in {}",
        records.len(),
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn refused(error: ExportError) -> Failure {
    let hint = match &error {
        ExportError::Several(_) => "choose one by `--connection CONNECTION`",
        ExportError::NoPayload => {
            "trace again with --trace-payload, or `axt trace start --payload`"
        }
        ExportError::Nothing | ExportError::Read(_) => {
            "a recording is made of what a relay has seen: `axt up --trace DIR --trace-payload`"
        }
    };
    Failure::failed(error).hint(hint)
}
