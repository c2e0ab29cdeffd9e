//! `axt man`: the help of each command as a manual page.

use std::{fs, io, path::Path, process::ExitCode};

use clap::{Command, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use super::print;
use crate::{
    failure::{Failure, say},
    flags::{Cli, man::ManFlags},
};

pub(super) fn run(flags: ManFlags) -> Result<ExitCode, Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = flags.folder else {
        let page = page(&command).map_err(Failure::failed)?;
        print(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    let count = write_all(&command, &folder).map_err(|error| {
        Failure::failed(format!("cannot write to {}: {error}", folder.display()))
    })?;
    say(&format!("{count} pages in {}", folder.display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes a command's page and those of its commands; gives how many that are.
fn write_all(command: &Command, folder: &Path) -> io::Result<usize> {
    fs::create_dir_all(folder)?;
    let name = Man::new(command.clone()).get_filename();
    fs::write(folder.join(name), page(command)?)?;
    let mut count = 1;
    for command in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        count += write_all(command, folder)?;
    }
    Ok(count)
}

/// A page. What stands below the flags in the help keeps its lines, for there are examples and tables
/// in it.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("axt");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|it| !it.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.get_subcommands().any(|it| !it.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(notes) = command.get_after_help() {
        let mut roff = Roff::new();
        roff.control("SH", ["NOTES"]).control("nf", []);
        for line in notes.to_string().lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
        roff.to_writer(&mut page)?;
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_the_lines_of_the_examples() {
        let mut command = Cli::command();
        command.build();
        let api = command.find_subcommand("api").expect("a command");

        let page = String::from_utf8(page(api).expect("written")).expect("UTF-8");

        let (_, notes) = page.split_once(".nf\n").expect("a part as it is");
        assert!(
            notes.contains("\n  axt api EndTerminalSession \\-\\-SessionId s"),
            "{notes}"
        );
        assert!(
            page.contains(".TH axt\\-api 1") || page.contains(".TH axt-api 1"),
            "{page}"
        );
    }

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Cli::command();
        command.build();

        write_all(&command, folder.path()).expect("written");

        for command in Cli::command().get_subcommands() {
            let file = folder.path().join(format!("axt-{}.1", command.get_name()));
            assert!(file.is_file(), "{}", file.display());
        }
        assert!(folder.path().join("axt.1").is_file());
    }
}
