//! The attribute stands at a trait.

use drydock_kit::prelude::*;

struct Dice;

#[server]
impl Clone for Dice { //~ - trait
    fn clone(&self) -> Self {
        Self
    }
}

fn main() {
    let _ = Dice.clone();
}
