//! How to make a container.
//!
//! Arguments -> the same with one of them changed. Invariant: the settings' hash is of what the container is made of, and not of
//! its image, its place or its name.

use drydock_contract::label;

/// How to make a container, and the hash of everything that makes it up besides the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    /// For the engine.
    pub args: Vec<String>,
    /// 16 hexadecimal digits, also in the container's label [`label::SETTINGS`].
    pub settings: String,
}

impl Create {
    /// The same from the image with this id, whatever its tags lead to by now.
    #[must_use]
    pub fn from_image(mut self, id: &str) -> Self {
        if let Some(image) = self.args.last_mut() {
            id.clone_into(image);
        }
        self
    }

    /// The same under another name, which neither the settings nor the volumes have.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if let Some(at) = self.args.iter().position(|it| it == "--name") {
            self.args.splice(at + 1..at + 2, [name.to_owned()]);
        }
        self
    }

    /// The same with where the clone keeps its state, as [`label::STATE`] has it. The container is the same one wherever
    /// that is.
    #[must_use]
    pub fn with_state(mut self, state: &str) -> Self {
        let before_the_image = self.args.len() - 1;
        let words = ["--label".to_owned(), format!("{}={state}", label::STATE)];
        self.args.splice(before_the_image..before_the_image, words);
        self
    }
}
