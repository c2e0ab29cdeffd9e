//! Recordings of a terminal: asciicast, version 2.
//!
//! The format is a line of JSON for what is known at the start, then a line an event:
//! `[seconds, "o", text]` for output, `"i"` for input, `"r"` and `COLSxROWS` for a window that has
//! changed. Each line is written whole and at once, so a recording can be played to its last event
//! however the session ends.

mod text;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axt_net::link::{self, Instant};
use axt_proto::Size;
use serde::Serialize;

use text::Text;

/// The window of a recording where there is none.
const NO_WINDOW: Size = Size { rows: 24, cols: 80 };

/// What stands at the beginning of a recording.
#[derive(Clone, Debug, Serialize)]
pub struct Header {
    version: u8,
    width: u16,
    height: u16,
    timestamp: i64,
    env: BTreeMap<&'static str, String>,
}

impl Header {
    /// A recording that begins at `timestamp`, in Unix seconds, with a window of `size`. Of the
    /// environment it tells TERM and SHELL and nothing else.
    #[must_use]
    pub fn new(
        size: Option<Size>,
        timestamp: i64,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let Size { rows, cols } = size.unwrap_or(NO_WINDOW);
        let told = |name| Some((name, environment(name)?));
        Self {
            version: 2,
            width: cols,
            height: rows,
            timestamp,
            env: ["SHELL", "TERM"].into_iter().filter_map(told).collect(),
        }
    }
}

/// A recording that goes on. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Tape(Arc<Mutex<Recording>>);

struct Recording {
    file: Box<dyn Write + Send>,
    began: Instant,
    size: Size,
    output: Text,
    input: Text,
    records_input: bool,
    failure: Option<io::Error>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Recording").finish_non_exhaustive()
    }
}

impl Tape {
    /// Begins a recording in a new file, which nobody else may read. One that is there is replaced
    /// only where that is wanted.
    ///
    /// # Errors
    /// `AlreadyExists`; what the system says of a file that cannot be written.
    pub fn create(
        path: &Path,
        replaces: bool,
        header: &Header,
        records_input: bool,
    ) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).mode(0o600);
        if replaces {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        Self::begin(Box::new(options.open(path)?), header, records_input)
    }

    /// Begins a recording.
    ///
    /// # Errors
    /// What `file` says.
    pub fn begin(
        mut file: Box<dyn Write + Send>,
        header: &Header,
        records_input: bool,
    ) -> io::Result<Self> {
        write_line(&mut file, header)?;
        Ok(Self(Arc::new(Mutex::new(Recording {
            file,
            began: link::now(),
            size: Size {
                rows: header.height,
                cols: header.width,
            },
            output: Text::default(),
            input: Text::default(),
            records_input,
            failure: None,
        }))))
    }

    /// Output came.
    pub fn output(&self, data: &[u8]) {
        let mut recording = self.lock();
        let text = recording.output.read(data);
        recording.write("o", &text);
    }

    /// Something was typed; it is recorded only where that is wanted.
    pub fn input(&self, data: &[u8]) {
        let mut recording = self.lock();
        if recording.records_input {
            let text = recording.input.read(data);
            recording.write("i", &text);
        }
    }

    /// The window's size; told again, it is recorded once.
    pub fn resized(&self, size: Size) {
        let mut recording = self.lock();
        if recording.size != size {
            recording.size = size;
            recording.write("r", &format!("{}x{}", size.cols, size.rows));
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// What went wrong with its file; it has nothing of what came after that.
    pub fn finish(&self) -> io::Result<()> {
        let mut recording = self.lock();
        let (output, input) = (recording.output.finish(), recording.input.finish());
        recording.write("o", &output);
        recording.write("i", &input);
        match recording.failure.take() {
            Some(failure) => Err(failure),
            None => recording.file.flush(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recording {
    /// A recording that fails does not end the session: it has a hole at its end, and says so.
    fn write(&mut self, kind: &str, text: &str) {
        if text.is_empty() || self.failure.is_some() {
            return;
        }
        let spent = link::now().saturating_duration_since(self.began);
        // A player wants no more than microseconds.
        let seconds =
            std::time::Duration::from_micros(u64::try_from(spent.as_micros()).unwrap_or(u64::MAX))
                .as_secs_f64();
        self.failure = write_line(&mut self.file, &(seconds, kind, text)).err();
    }
}

fn write_line(file: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn size(rows: u16, cols: u16) -> Size {
        Size { rows, cols }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_a_header_and_an_event_a_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.cast");
        let header = Header::new(Some(size(24, 80)), 1_700_000_000, |name| {
            Some(format!("the {name}"))
        });

        let tape = Tape::create(&file, false, &header, false).expect("a file");
        tape.resized(size(24, 80));
        tape.output(b"$ \xe4\xbd");
        link::sleep(Duration::from_millis(1_500)).await;
        tape.input(b"secret");
        tape.output(b"\xa0\x1b[1m\"\xff");
        link::sleep(Duration::from_millis(20)).await;
        tape.resized(size(43, 132));
        tape.output(b"\xe4");
        tape.finish().expect("written");

        let lines = std::fs::read_to_string(&file).expect("text");
        assert_eq!(
            lines,
            "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1700000000,\
             \"env\":{\"SHELL\":\"the SHELL\",\"TERM\":\"the TERM\"}}\n\
             [0.0,\"o\",\"$ \"]\n\
             [1.5,\"o\",\"\u{4f60}\\u001b[1m\\\"\u{fffd}\"]\n\
             [1.52,\"r\",\"132x43\"]\n\
             [1.52,\"o\",\"\u{fffd}\"]\n"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_typed_is_recorded_only_where_it_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.cast");
        let header = Header::new(None, 0, |_| None);

        let tape = Tape::create(&file, false, &header, true).expect("a file");
        tape.input(b"ls\r");

        let lines = std::fs::read_to_string(&file).expect("text");
        assert!(lines.ends_with("[0.0,\"i\",\"ls\\r\"]\n"), "{lines}");
    }

    #[test]
    fn a_file_that_is_there_is_left_alone_unless_it_is_to_be_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.cast");
        std::fs::write(&file, "old").expect("written");
        let header = Header::new(None, 0, |_| None);

        let refused = Tape::create(&file, false, &header, false).expect_err("it is there");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&file).expect("read"), b"old");

        Tape::create(&file, true, &header, false).expect("replaced");
        assert!(std::fs::read(&file).expect("read").starts_with(b"{"));
    }

    #[test]
    fn a_disk_that_is_full_ends_the_recording_and_not_the_session() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, data: &[u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.0 -= 1;
                Ok(data.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let header = Header::new(None, 0, |_| None);

        let tape = Tape::begin(Box::new(Full(1)), &header, false).expect("a header");
        tape.output(b"lost");
        tape.output(b"lost too");

        let failure = tape.finish().expect_err("full");
        assert_eq!(failure.kind(), io::ErrorKind::StorageFull);
    }
}
