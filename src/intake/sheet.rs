//! A list as cells that know their places, in any delimiter and encoding. The `csv` crate gives the line of a row,
//! not the column of a cell, and a person looks for the cell.

use std::ops::Range;
use std::sync::Arc;

use encoding_rs::{Encoding, UTF_8};

use super::Mapping;
use crate::inventory::{Diagnostic, Place, Sources, blanked, looks_like_key};

/// A list larger than this is refused.
const MAX_BYTES: usize = 64 << 20;
/// What may part cells when nobody says what does.
const DELIMITERS: [char; 4] = [';', ',', '\t', '|'];

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its text, without blanks around it and without quotes.
    pub text: String,
    /// Where it begins.
    pub place: Place,
    length: u32,
    bytes: Range<usize>,
}

impl Cell {
    /// The same cell with another text.
    pub fn saying(&self, text: String) -> Self {
        Self { text, ..self.clone() }
    }

    /// A fault of this cell. What stands in it is not repeated.
    pub fn fault(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).spanning(self.place.clone(), self.length, "")
    }
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its cells.
    pub cells: Vec<Cell>,
    /// Where it begins.
    pub place: Place,
}

/// A list.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Its file's name.
    pub file: Arc<str>,
    /// The names of its columns; none when it has no line of them.
    pub header: Vec<Cell>,
    /// Its rows.
    pub rows: Vec<Row>,
    text: String,
}

impl Sheet {
    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with it: the whole of it, or all rows that have another number of cells than the first.
    pub fn read(file: &str, bytes: &[u8], mapping: &Mapping) -> Result<Self, (Vec<Diagnostic>, Sources)> {
        let name: Arc<str> = Arc::from(file);
        let text = match decoded(&name, bytes, mapping.encoding.as_deref()) {
            Ok(text) => text,
            Err(fault) => return Err((vec![fault], Sources::default())),
        };
        let mut faults = Vec::new();
        let delimiter = delimiter(&text, mapping);
        let mut rows = match delimiter {
            Ok(delimiter) => Cutter::new(&text, delimiter, &name).rows(mapping.skip, &mut faults),
            Err(fault) => {
                faults.push(fault.at(&at(&name, 1, 1), ""));
                Vec::new()
            }
        };
        rows.retain(|row| row.cells.iter().any(|cell| !cell.text.is_empty()));
        if rows.is_empty() && faults.is_empty() {
            faults.push(Diagnostic::error("empty-list", format!("{file} has no rows")));
        }
        let width = rows.first().map_or(0, |row| row.cells.len());
        for row in &mut rows {
            while row.cells.len() > width && row.cells.last().is_some_and(|cell| cell.text.is_empty()) {
                row.cells.pop();
            }
            if row.cells.len() != width {
                let message = format!("{} cells where the first line has {width}", row.cells.len());
                faults.push(Diagnostic::error("ragged-row", message).at(&row.place, ""));
            }
        }
        let header = if mapping.header && !rows.is_empty() { rows.remove(0).cells } else { Vec::new() };
        let sheet = Self { file: name, header, rows, text };
        if faults.is_empty() { Ok(sheet) } else { Err((faults, sheet.sources(&[]))) }
    }

    /// Its text to draw faults from, with keys blanked, and all that stands in the columns named.
    pub fn sources(&self, secret: &[usize]) -> Sources {
        let cells = self.rows.iter().flat_map(|row| row.cells.iter().enumerate());
        let secret = cells.filter(|(index, cell)| secret.contains(index) || looks_like_key(&cell.text));
        let mut ranges: Vec<Range<usize>> = secret.map(|(_, cell)| cell.bytes.clone()).collect();
        ranges.extend(
            self.header.iter().filter(|cell| looks_like_key(&cell.text)).map(|cell| cell.bytes.clone()),
        );
        let mut sources = Sources::default();
        sources.insert(Arc::clone(&self.file), blanked(&self.text, &ranges));
        sources
    }
}

fn at(file: &Arc<str>, line: u32, column: u32) -> Place {
    Place { file: Arc::clone(file), line, column }
}

fn decoded(file: &Arc<str>, bytes: &[u8], named: Option<&str>) -> Result<String, Diagnostic> {
    let refused = |message: String| Diagnostic::error("unreadable", message);
    if bytes.len() > MAX_BYTES {
        return Err(refused(format!("{file} has {} bytes, more than {MAX_BYTES}", bytes.len())));
    }
    let encoding = match named {
        Some(label) => Encoding::for_label(label.as_bytes())
            .ok_or_else(|| refused(format!("`{label}` is no encoding; write `utf-8` or `windows-1252`")))?,
        None => UTF_8,
    };
    let (text, used, bad) = encoding.decode(bytes);
    if bad {
        let good = std::str::from_utf8(bytes).map_or_else(|fault| fault.valid_up_to(), |_| 0);
        let line = 1 + bytes[..good].iter().filter(|byte| **byte == b'\n').count();
        let message = format!("{file}: line {line} is not {}", used.name());
        return Err(refused(message).help("name its encoding: `encoding: windows-1252` in the mapping"));
    }
    Ok(text.into_owned())
}

fn delimiter(text: &str, mapping: &Mapping) -> Result<char, Diagnostic> {
    match mapping.delimiter.as_deref() {
        Some("tab" | "\t") => Ok('\t'),
        Some(named) => {
            let mut chars = named.chars();
            match (chars.next(), chars.next()) {
                (Some(one), None) if !matches!(one, '"' | '\n' | '\r') => Ok(one),
                _ => Err(Diagnostic::error("bad-delimiter", format!("`{named}` cannot part cells"))
                    .help("one character, or `tab`")),
            }
        }
        None => {
            let first = text.lines().nth(mapping.skip).unwrap_or_default();
            let count = |delimiter: &char| first.matches(*delimiter).count();
            Ok(DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(';'))
        }
    }
}

/// Cuts a text into rows and cells.
struct Cutter<'t> {
    text: &'t str,
    delimiter: char,
    file: &'t Arc<str>,
    at: usize,
    line: u32,
    column: u32,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str, delimiter: char, file: &'t Arc<str>) -> Self {
        Self { text, delimiter, file, at: 0, line: 1, column: 1 }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn step(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn rows(mut self, skip: usize, faults: &mut Vec<Diagnostic>) -> Vec<Row> {
        let mut rows = Vec::new();
        for _ in 0..skip {
            while self.step().is_some_and(|c| c != '\n') {}
        }
        while self.peek().is_some() {
            let place = at(self.file, self.line, self.column);
            let mut cells = vec![self.cell(faults)];
            while self.peek() == Some(self.delimiter) {
                self.step();
                cells.push(self.cell(faults));
            }
            while self.peek() == Some('\r') {
                self.step();
            }
            self.step();
            rows.push(Row { cells, place });
        }
        rows
    }

    fn ends(&self, c: char) -> bool {
        c == self.delimiter || c == '\n' || c == '\r' && self.text[self.at..].starts_with("\r\n")
    }

    fn cell(&mut self, faults: &mut Vec<Diagnostic>) -> Cell {
        while self.peek().is_some_and(|c| c == ' ' && c != self.delimiter) {
            self.step();
        }
        let (start, place) = (self.at, at(self.file, self.line, self.column));
        let mut text = String::new();
        if self.peek() == Some('"') {
            self.step();
            loop {
                match self.step() {
                    Some('"') if self.peek() == Some('"') => text.extend(self.step()),
                    Some('"') => break,
                    Some(c) => text.push(c),
                    None => {
                        let fault = Diagnostic::error("open-quote", "this quote is never closed");
                        faults.push(fault.at(&place, ""));
                        break;
                    }
                }
            }
        }
        while let Some(c) = self.peek().filter(|c| !self.ends(*c)) {
            text.push(c);
            self.step();
        }
        let written = self.text[start..self.at].trim_end().chars().take_while(|c| *c != '\n').count();
        let length = u32::try_from(written).unwrap_or(u32::MAX).max(1);
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
        Cell { text, place, length, bytes: start..self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], mapping: &Mapping) -> Sheet {
        Sheet::read("list.csv", text, mapping).map_err(|(faults, _)| faults).unwrap()
    }

    #[test]
    fn cells_know_their_places_in_any_delimiter_and_quotes() {
        let sheet = read(
            "\u{feff}a;b;c\r\n\"x;\"\"y\"\"\";  two ;\"l1\nl2\"\r\n\r\n;é,;z;\n".as_bytes(),
            &Mapping::default(),
        );
        let texts = |row: &Row| row.cells.iter().map(|cell| cell.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&sheet.rows[0]), ["x;\"y\"", "two", "l1\nl2"]);
        assert_eq!(sheet.rows[0].cells[1].place.to_string(), "list.csv:2:13");
        assert_eq!(texts(&sheet.rows[1]), ["", "é,", "z"]);
        assert_eq!(sheet.rows[1].cells[2].place.to_string(), "list.csv:5:5");
    }

    #[test]
    fn an_old_windows_list_is_read_and_said_not_to_be_utf_8_without_its_encoding() {
        let bytes = b"nom\tsoci\xe9t\xe9\nZo\xeb\t\x80\xa012\n";
        let (faults, _) = Sheet::read("list.csv", bytes, &Mapping::default()).unwrap_err();
        assert!(faults[0].message.contains("line 1 is not UTF-8"), "{}", faults[0].message);
        let mapping = Mapping { encoding: Some("windows-1252".to_owned()), ..Mapping::default() };
        let sheet = read(bytes, &mapping);
        assert_eq!((&*sheet.header[1].text, &*sheet.rows[0].cells[1].text), ("société", "€\u{a0}12"));
    }

    #[test]
    fn all_faults_of_form_come_at_once_and_no_key_is_drawn() {
        let text = "a;b\n1\n00112233445566778899aabbccddeeff;2;3\n\"open;1\n";
        let (faults, sources) = Sheet::read("list.csv", text.as_bytes(), &Mapping::default()).unwrap_err();
        let places: Vec<String> =
            faults.iter().map(|fault| format!("{} {}", fault.place().unwrap(), fault.code)).collect();
        assert_eq!(
            places,
            [
                "list.csv:4:1 open-quote",
                "list.csv:2:1 ragged-row",
                "list.csv:3:1 ragged-row",
                "list.csv:4:1 ragged-row"
            ]
        );
        assert!(!sources.text("list.csv").unwrap().contains("aabbcc"));
    }
}
