//! What a key of the settings file is, for whoever reads it: the parser, the example, and
//! `axt config`.

use std::fmt::Write;

/// A key: what it is called, what its value looks like, and what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its name, in the file and on the command line.
    pub(crate) name: &'static str,
    /// What it means, as wrapped in the source.
    meaning: &'static [&'static str],
    /// The unit or the form of its value.
    pub(crate) unit: &'static str,
    /// Its default, as TOML or, where there is none to write down, in words.
    default: Default,
    /// A value for the example, as TOML, where the default is none.
    example: Option<&'static str>,
    /// Its flag, where it has one; it stands over the file.
    pub(crate) flag: Option<&'static str>,
    /// Whether its value must not be shown.
    pub(crate) is_secret: bool,
    /// Whether a table without it is refused.
    pub(crate) is_required: bool,
}

#[derive(Clone, Copy, Debug)]
enum Default {
    Toml(&'static str),
    Words(&'static str),
}

impl Key {
    /// A key whose values have this unit or form, and of which there is none by default.
    pub(crate) const fn new(unit: &'static str) -> Self {
        Self {
            name: "",
            meaning: &[],
            unit,
            default: Default::Words("none"),
            example: None,
            flag: None,
            is_secret: false,
            is_required: false,
        }
    }

    /// `true` or `false`, by default this.
    pub(crate) const fn switch(default: &'static str) -> Self {
        Self::new("true or false").default(default)
    }

    /// With a default, as TOML.
    pub(crate) const fn default(mut self, toml: &'static str) -> Self {
        self.default = Default::Toml(toml);
        self
    }

    /// With a default that only words can say.
    pub(crate) const fn by_default(mut self, words: &'static str) -> Self {
        self.default = Default::Words(words);
        self
    }

    /// With a value for the example, as TOML.
    pub(crate) const fn example(mut self, toml: &'static str) -> Self {
        self.example = Some(toml);
        self
    }

    /// With a flag, and so a variable of the environment.
    pub(crate) const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    /// Not to be shown.
    pub(crate) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// Not to be left out.
    pub(crate) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// With its name and meaning: what [`table`] adds.
    pub(crate) const fn named(
        mut self,
        name: &'static str,
        meaning: &'static [&'static str],
    ) -> Self {
        self.name = name;
        self.meaning = meaning;
        self
    }

    /// Its meaning, in one line.
    pub(crate) fn meaning(&self) -> String {
        let words = self.meaning.iter().flat_map(|line| line.split_whitespace());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Its default as people read it.
    pub(crate) const fn default_text(&self) -> &'static str {
        match self.default {
            Default::Toml(text) | Default::Words(text) => text,
        }
    }

    /// Its default, where a file could say the same.
    pub(crate) const fn default_toml(&self) -> Option<&'static str> {
        match self.default {
            Default::Toml(text) => Some(text),
            Default::Words(_) => None,
        }
    }

    /// A value that parses.
    pub(crate) fn example_toml(&self) -> &'static str {
        self.example
            .or(self.default_toml())
            .unwrap_or("\"a key without an example: a test finds it\"")
    }

    /// The variable that stands over it: `AXT_` and the flag in capitals.
    pub(crate) fn variable(&self) -> Option<String> {
        let flag = self.flag?.trim_start_matches('-');
        Some(format!("AXT_{}", flag.replace('-', "_").to_uppercase()))
    }

    /// Unit, default, flag and variable, in brackets.
    pub(crate) fn facts(&self) -> String {
        let mut facts = format!("[{}", self.unit);
        if self.is_required {
            facts.push_str("; required");
        } else {
            let _ = write!(facts, "; default: {}", self.default_text());
        }
        if let (Some(flag), Some(variable)) = (self.flag, self.variable()) {
            let _ = write!(facts, "; {flag}, {variable}");
        }
        facts.push(']');
        facts
    }
}

/// A table: its keys, and what they are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Description {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether there can be several: `[[name]]`.
    pub(crate) is_list: bool,
    /// What its keys are about.
    pub(crate) meaning: &'static [&'static str],
    /// Its keys, in the order of the example.
    pub(crate) keys: &'static [Key],
}

impl Description {
    /// Its header: `[name]` or `[[name]]`.
    pub(crate) fn header(&self) -> String {
        if self.is_list {
            format!("[[{}]]", self.name)
        } else {
            format!("[{}]", self.name)
        }
    }

    /// The key of that name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// Declares a table of the settings file once: the type that is read, and the description that
/// people read.
macro_rules! table {
    (
        $(#[doc = $doc:literal])*
        $name:ident = $title:literal, list: $is_list:literal {
            $($(#[doc = $meaning:literal])* $field:ident $(as $name_in_file:literal)?: $type:ty = $key:expr;)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default)]
        pub(crate) struct $name {
            $($(#[doc = $meaning])* pub(crate) $field: Option<$crate::settings::place::Set<$type>>,)*
        }

        impl $crate::settings::entries::Table for $name {
            const DESCRIPTION: $crate::settings::key::Description =
                $crate::settings::key::Description {
                    name: $title,
                    is_list: $is_list,
                    meaning: &[$($doc),*],
                    keys: &[$($key.named($crate::settings::key::name_of!($field $($name_in_file)?), &[$($meaning),*])),*],
                };

            fn read(
                entries: &mut $crate::settings::entries::Entries<'_>,
            ) -> Result<Self, $crate::settings::place::FileError> {
                Ok(Self { $($field: entries.take($crate::settings::key::name_of!($field $($name_in_file)?))?,)* })
            }
        }
    };
}

/// A key's name: its field's, or another where that is a word of the language.
macro_rules! name_of {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

pub(crate) use {name_of, table};
