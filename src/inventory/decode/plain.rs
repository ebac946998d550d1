//! Plain scalars: text, booleans, numbers, addresses. What YAML readers disagree about is refused.

use std::net::IpAddr;
use std::str::FromStr;

use super::{Decode, Decoder};
use crate::inventory::Diagnostic;
use crate::inventory::tree::{Body, Node, Scalar, Span};

/// A scalar that is text: what YAML would read as something else needs quotes.
pub(super) fn text<'n>(node: &'n Node, decoder: &mut Decoder, expected: &str) -> Option<&'n str> {
    match &node.body {
        Body::Scalar(Scalar { text, plain: false }) => Some(text),
        Body::Scalar(Scalar { text, .. }) if is_yaml11_boolean(text) => {
            let fault =
                yaml11(decoder, text, node.span, &format!("write \"{text}\" in quotes if text is meant"));
            decoder.add(fault);
            None
        }
        Body::Scalar(Scalar { text, .. }) if !node.is_empty() && !is_boolean(text) && !is_number(text) => {
            Some(text)
        }
        _ => {
            decoder.wrong_type(node, expected);
            let quotes = matches!(node.body, Body::Scalar(_)) && !node.is_empty();
            if let (true, Some(fault)) = (quotes, decoder.found.last_mut()) {
                fault.help = Some("put it in quotes if text is meant".into());
            }
            None
        }
    }
}

/// A scalar as it was written, also when YAML would read it as a number.
pub(in crate::inventory) fn raw<'n>(
    node: &'n Node,
    decoder: &mut Decoder,
    expected: &str,
) -> Option<&'n str> {
    match &node.body {
        Body::Scalar(Scalar { text, .. }) if !node.is_empty() => Some(text),
        _ => {
            decoder.wrong_type(node, expected);
            None
        }
    }
}

pub(super) fn yaml11(decoder: &Decoder, text: &str, span: Span, help: &str) -> Diagnostic {
    let message = format!("`{text}` is a boolean to some YAML readers and text to others");
    decoder.mark(Diagnostic::error("yaml-1.1-boolean", message), span, "").help(help)
}

/// `yes`, `no`, `on` and `off` were booleans in YAML 1.1 and are text in YAML 1.2.
pub(super) fn is_yaml11_boolean(text: &str) -> bool {
    ["yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_boolean(text: &str) -> bool {
    ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether some YAML reader takes a plain scalar for a number.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let radix = ["0x", "0o", "0b"].iter().any(|prefix| {
        digits
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_hexdigit()))
    });
    numeric && (radix || f64::from_str(&text.replace('_', "")).is_ok())
        || [".inf", ".nan"].iter().any(|word| digits.eq_ignore_ascii_case(word))
}

pub(super) fn kind(node: &Node) -> &'static str {
    match &node.body {
        Body::Map(_) => "a map",
        Body::List(_) => "a list",
        Body::Scalar(Scalar { plain: false, .. }) => "text",
        Body::Scalar(Scalar { text, .. }) if is_boolean(text) => "a boolean",
        Body::Scalar(Scalar { text, .. }) if is_number(text) => "a number",
        Body::Scalar(_) => "text",
    }
}

impl Decode for String {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        text(node, decoder, "text").map(str::to_owned)
    }
}

impl Decode for bool {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        match &node.body {
            Body::Scalar(Scalar { text, plain: true }) if text == "true" => return Some(true),
            Body::Scalar(Scalar { text, plain: true }) if text == "false" => return Some(false),
            Body::Scalar(Scalar { text, plain: true }) if is_yaml11_boolean(text) => {
                let fault = yaml11(decoder, text, node.span, "write `true` or `false`");
                decoder.add(fault);
            }
            _ => decoder.wrong_type(node, "`true` or `false`"),
        }
        None
    }
}

macro_rules! whole_number {
    ($($number:ty),*) => {$(
        impl Decode for $number {
            fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
                let expected = concat!("a whole number (", stringify!($number), ")");
                match &node.body {
                    Body::Scalar(Scalar { text, plain: true }) if is_whole(text) => {
                        let number = text.parse().ok();
                        if number.is_none() {
                            let (least, most) = (<$number>::MIN, <$number>::MAX);
                            let message = format!("{text} is not from {least} to {most}");
                            decoder.refuse("out-of-range", node, message, "");
                        }
                        number
                    }
                    _ => {
                        decoder.wrong_type(node, expected);
                        None
                    }
                }
            }
        }
    )*};
}

whole_number!(u8, u16, u32, i64);

/// Decimal digits without leading zeros: anything else reads differently from one YAML reader to the next.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits == "0"
        || (!digits.starts_with('0') && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

impl Decode for IpAddr {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let text = text(node, decoder, "an IP address")?;
        let address = text.parse().ok();
        if address.is_none() {
            decoder.refuse("bad-address", node, format!("`{}` is no IP address", text), "");
        }
        address
    }
}
