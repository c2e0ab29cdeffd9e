//! `axt top`.

mod keys;
mod screen;
mod view;

use std::{process::ExitCode, time::Duration};

use axt_client::{
    Admin,
    terminal::{
        self, RawMode,
        signals::{Sizes, Stops},
        stdio,
    },
};
use axt_net::{link, tasks::Tasks};
use tokio::io::AsyncReadExt;

use self::{
    keys::{Key, Keys},
    screen::Screen,
    view::{Look, View},
};
use super::print;
use crate::{failure::Failure, flags::top::TopFlags, settings::Settings, target};

const EVERY: Duration = Duration::from_secs(1);
/// The shortest span between two looks: each costs the relay the look at all that it has.
const LEAST: Duration = Duration::from_millis(50);

pub(super) async fn run(flags: TopFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let admin = target::admin(flags.target, settings)?;
    let every = flags.every.unwrap_or(EVERY).max(LEAST);
    let mut view = View::default();
    view.sort = flags.sort;
    if flags.once || !terminal::is_interactive() {
        let look = Look::first(admin.state().await?);
        print(view.table(&look).join("\n").trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    watch(&admin, every, &mut view).await?;
    Ok(ExitCode::SUCCESS)
}

async fn watch(admin: &Admin, every: Duration, view: &mut View) -> Result<(), Failure> {
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    // Before anything is drawn: an error of this should be read on a terminal that works.
    let mut look = Look::first(admin.state().await?);
    let mut at = link::now();
    let tasks = Tasks::new();
    let mut typed = stdio::input(&tasks).map_err(Failure::failed)?;
    let mut sizes = Sizes::of_terminal();
    let mut keys = Keys::default();
    let _raw = RawMode::enter().map_err(Failure::failed)?;
    let screen = Screen::enter().map_err(Failure::failed)?;
    let mut interval = link::interval(every);
    let mut buffer = [0; 64];
    let mut trouble: Option<String> = None;
    loop {
        let lines = view.screen(&look, terminal::size(), trouble.as_deref());
        screen.draw(&lines).map_err(Failure::failed)?;
        tokio::select! {
            biased;
            _ = stops.next_while_raw() => return Ok(()),
            read = typed.read(&mut buffer) => {
                let read = match read {
                    Ok(0) | Err(_) => return Ok(()),
                    Ok(read) => buffer.get(..read).unwrap_or_default(),
                };
                for key in keys.read(read) {
                    match key {
                        Key::Quit => return Ok(()),
                        Key::Move(by) => view.scroll(by),
                        Key::Page(by) => view.page(by),
                        Key::Sort => view.sort = view.sort.next(),
                        Key::Reverse => view.is_reversed = !view.is_reversed,
                    }
                }
            }
            _ = sizes.changed() => {}
            _ = interval.tick() => match admin.state().await {
                Ok(state) => {
                    trouble = None;
                    let now = link::now();
                    look = look.next(state, now - at);
                    at = now;
                }
                // It may come back: the last look stays until then.
                Err(error) => trouble = Some(error.to_string()),
            },
        }
    }
}
