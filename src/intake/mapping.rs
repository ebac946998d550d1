//! Which column of a list is what: a small YAML file, so that any vendor's list can be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Cell, Row, Sheet};
use crate::inventory::{Diagnostic, Place, amend};

/// A mapping.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// What parts the cells: one character, or `tab`; found out when absent.
    pub delimiter: Option<String>,
    /// The encoding, such as `windows-1252`; UTF-8 when absent.
    pub encoding: Option<String>,
    /// How many lines stand before the names of the columns.
    pub skip: usize,
    /// Whether the first line names the columns.
    pub header: bool,
    /// The column of each field: its name, or its number from 1.
    pub columns: BTreeMap<String, Column>,
    /// What fields are when their column is absent or a cell is empty.
    pub constants: BTreeMap<String, Text>,
    /// Words of the list and what they mean, by field.
    pub words: BTreeMap<String, BTreeMap<Text, Text>>,
    /// Further settings of one kind of list.
    pub settings: BTreeMap<String, Text>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            delimiter: None,
            encoding: None,
            skip: 0,
            header: true,
            columns: BTreeMap::new(),
            constants: BTreeMap::new(),
            words: BTreeMap::new(),
            settings: BTreeMap::new(),
        }
    }
}

/// A column.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// By its number, from 1.
    Number(usize),
    /// By its name.
    Name(String),
}

/// A text, written with or without quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl Mapping {
    /// Reads a mapping. Its fields and settings are some of those named.
    ///
    /// # Errors
    /// Every fault found.
    pub fn read(file: &str, text: &str, fields: &[&str], settings: &[&str]) -> Result<Self, Vec<Diagnostic>> {
        let name: Arc<str> = Arc::from(file);
        let mapping: Self = serde_saphyr::from_str(text).map_err(|fault| {
            let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            let place =
                fault.location().map_or(Place { file: Arc::clone(&name), line: 1, column: 1 }, |found| {
                    Place {
                        file: Arc::clone(&name),
                        line: number(found.line()),
                        column: number(found.column()),
                    }
                });
            let said = fault.without_snippet().to_string();
            let said = said.lines().next().unwrap_or_default().to_owned();
            vec![Diagnostic::error("bad-mapping", format!("this is no mapping: {said}")).at(&place, "")]
        })?;
        let unknown = |section: &str, key: &String, known: &[&str]| {
            let fault = Diagnostic::error("unknown-field", format!("unknown field `{key}`"));
            let fault = fault.help(format!("known here: {}", known.join(", ")));
            match amend::place_of(file, text, &[section, key]) {
                Some(place) => fault.at(&place, "not known here"),
                None => fault,
            }
        };
        let mut faults = Vec::new();
        let sections: [(&str, Vec<&String>, &[&str]); 4] = [
            ("columns", mapping.columns.keys().collect(), fields),
            ("constants", mapping.constants.keys().collect(), fields),
            ("words", mapping.words.keys().collect(), fields),
            ("settings", mapping.settings.keys().collect(), settings),
        ];
        for (section, keys, known) in sections {
            let strange = keys.into_iter().filter(|key| !known.contains(&key.as_str()));
            faults.extend(strange.map(|key| unknown(section, key, known)));
        }
        if faults.is_empty() { Ok(mapping) } else { Err(faults) }
    }

    /// A setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|text| text.0.as_str())
    }
}

/// The fields of a list's rows.
pub struct Fields<'m> {
    mapping: &'m Mapping,
    columns: BTreeMap<String, usize>,
}

impl<'m> Fields<'m> {
    /// Finds the columns of a mapping; `known` are names that need none, by field.
    ///
    /// # Errors
    /// Every column that the list does not have.
    pub fn of(
        sheet: &Sheet,
        mapping: &'m Mapping,
        known: &[(&str, &[&str])],
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut columns = BTreeMap::new();
        let mut faults = Vec::new();
        let width = sheet.rows.first().map_or(sheet.header.len(), |row| row.cells.len());
        for (field, column) in &mapping.columns {
            let found = match column {
                Column::Number(number) => number.checked_sub(1).filter(|index| *index < width),
                Column::Name(name) => sheet.header.iter().position(|cell| plain(&cell.text) == plain(name)),
            };
            match found {
                Some(index) => drop(columns.insert(field.clone(), index)),
                None => faults.push(missing(sheet, field, column)),
            }
        }
        for (field, names) in known.iter().filter(|(field, _)| !mapping.columns.contains_key(*field)) {
            let named = |name: &&str| sheet.header.iter().position(|cell| plain(&cell.text) == **name);
            if let Some(index) = names.iter().find_map(named) {
                columns.insert((*field).to_owned(), index);
            }
        }
        let by_number = |field: &String| matches!(mapping.columns.get(field), Some(Column::Number(_)));
        for (_, index) in columns.iter().filter(|(field, _)| !by_number(field)) {
            faults.extend(again(sheet, *index));
        }
        if faults.is_empty() { Ok(Self { mapping, columns }) } else { Err(faults) }
    }

    /// Whether rows can say anything of a field.
    pub fn has(&self, field: &str) -> bool {
        self.columns.contains_key(field) || self.mapping.constants.contains_key(field)
    }

    /// The index of a field's column.
    pub fn column(&self, field: &str) -> Option<usize> {
        self.columns.get(field).copied()
    }

    /// What a row says of a field, in the inventory's words; `None` when nothing.
    pub fn get(&self, row: &Row, field: &str) -> Option<Cell> {
        let cell = self.columns.get(field).and_then(|index| row.cells.get(*index));
        let mut cell = match cell.filter(|cell| !cell.text.is_empty()) {
            Some(cell) => cell.clone(),
            None => {
                let text = self.mapping.constants.get(field)?.0.clone();
                let own = cell.or(row.cells.first())?;
                own.saying(text)
            }
        };
        if let Some(words) = self.mapping.words.get(field) {
            let meant = words.iter().find(|(word, _)| word.0.to_lowercase() == cell.text.to_lowercase());
            if let Some((_, meant)) = meant {
                cell.text.clone_from(&meant.0);
            }
        }
        Some(cell).filter(|cell| !cell.text.is_empty())
    }
}

/// A column's name as it is compared: letters and digits only, lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn missing(sheet: &Sheet, field: &str, column: &Column) -> Diagnostic {
    let named = match column {
        Column::Number(number) => format!("column {number}"),
        Column::Name(name) => format!("a column `{name}`"),
    };
    let there: Vec<&str> = sheet.header.iter().map(|cell| cell.text.as_str()).collect();
    let fault = Diagnostic::error("no-column", format!("the list has not {named} for `{field}`"));
    let first = sheet.header.first().map(|cell| &cell.place).or(sheet.rows.first().map(|row| &row.place));
    let fault = first.map_or(fault.clone(), |place| fault.at(place, ""));
    fault.help(format!("its columns: {}", there.join(", ")))
}

/// A column that is read by its name and stands there twice: which one is meant cannot be told.
fn again(sheet: &Sheet, first: usize) -> Option<Diagnostic> {
    let first = sheet.header.get(first)?;
    let mut others = sheet.header.iter().filter(|cell| plain(&cell.text) == plain(&first.text));
    let second = others.find(|cell| cell.place != first.place)?;
    let fault = Diagnostic::error("same-column", format!("the list has the column `{}` twice", first.text));
    let fault = fault.at(&second.place, "here again").at(&first.place, "first here");
    Some(fault.help("name the one that is meant by its number in a mapping, or take the other out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_stands_there_twice_is_a_fault_unless_its_number_is_given() {
        let read = |columns: &str| {
            let mapping = Mapping::read("m.yaml", columns, &["name", "period"], &[]).unwrap();
            let sheet = Sheet::read("l.csv", b"name;period;Name\na;10m;b\n", &mapping).unwrap();
            let faults = Fields::of(&sheet, &mapping, &[("name", &["name"])]).err().unwrap_or_default();
            faults.iter().map(|fault| fault.code).collect::<Vec<_>>()
        };
        assert_eq!(read("columns: {period: period}\n"), ["same-column"]);
        assert_eq!(read("columns: {name: Name}\n"), ["same-column"]);
        assert_eq!(read("columns: {name: 3}\n"), [""; 0]);
    }

    #[test]
    fn columns_constants_and_words_make_fields() {
        let text = "columns: {dev_eui: Dev EUI, model: 2}\nconstants: {period: 10m, model: raw}\n\
                    words: {model: {ARF8275: adeunis-comfort}}\n";
        let mapping = Mapping::read("m.yaml", text, &["dev_eui", "model", "period"], &[]).unwrap();
        let sheet = Sheet::read("l.csv", b"DEV_EUI;type\n1;arf8275\n2;\n", &mapping).unwrap();
        let fields = Fields::of(&sheet, &mapping, &[]).unwrap();
        let said = |row: usize, field: &str| fields.get(&sheet.rows[row], field).map(|cell| cell.text);
        assert_eq!(said(0, "dev_eui").as_deref(), Some("1"));
        assert_eq!(said(0, "model").as_deref(), Some("adeunis-comfort"));
        assert_eq!((said(1, "model").as_deref(), said(1, "period").as_deref()), (Some("raw"), Some("10m")));
        let other = Mapping::read("m.yaml", "columns: {dev_eui: Key}\n", &["dev_eui"], &[]).unwrap();
        let faults = Fields::of(&sheet, &other, &[]).err().unwrap();
        assert!(faults[0].help.as_ref().unwrap().contains("DEV_EUI, type"), "{faults:?}");
    }

    #[test]
    fn the_shipped_mappings_hold() {
        use crate::intake::{lines, sensors};
        let lines_map = include_str!("../../templates/import/lines.yaml");
        Mapping::read("lines.yaml", lines_map, &lines::FIELDS, &lines::SETTINGS).unwrap();
        Mapping::read(
            "sensors.yaml",
            include_str!("../../templates/import/sensors.yaml"),
            &sensors::FIELDS,
            &[],
        )
        .unwrap();
    }

    #[test]
    fn a_faulty_mapping_is_refused_at_its_place() {
        let fault = |text: &str| Mapping::read("m.yaml", text, &["dev_eui"], &[]).unwrap_err().remove(0);
        assert_eq!(fault("columns:\n  deveui: X\n").place().unwrap().to_string(), "m.yaml:2:3");
        assert_eq!(fault("header: true\ncolums: {}\n").place().unwrap().line, 2);
    }
}
