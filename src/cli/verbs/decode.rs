//! `decode`: the relay's own decoders, so that what is seen here is what the gateway sends.

use crate::cli::arguments::Decode;
use crate::cli::{Arguments, Exit, programs};
use crate::template::Templates;

pub fn run(arguments: &Arguments, verb: &Decode) -> anyhow::Result<Exit> {
    let templates = Templates::open(&arguments.directory);
    let words = match (&verb.model, &verb.payload) {
        (Some(model), Some(payload)) => vec!["--model".to_owned(), model.clone(), payload.clone()],
        _ => vec!["--jsonl".to_owned()],
    };
    programs::decode(&templates, &words, verb.jsonl)?;
    Ok(Exit::Done)
}
