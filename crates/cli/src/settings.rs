//! What the program runs on, settled from layers: flags and environment, then (later) the file, then
//! the defaults.
//!
//! A layer is a struct of `Option`s; what one layer leaves open the next may say. Defaults are
//! applied once, when the layers are resolved, and nowhere else.

pub(crate) mod limits;
pub(crate) mod up;

/// Takes from each layer what those before it left open.
macro_rules! layer {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub(crate) $field: Option<$type>,)*
        }

        impl $name {
            /// Fills what this layer leaves open from the `lower` one.
            #[must_use]
            pub(crate) fn or(self, lower: Self) -> Self {
                Self { $($field: self.$field.or(lower.$field),)* }
            }
        }
    };
}

pub(crate) use layer;
