//! Who calls: contacts of the phonebook, how callers are found in it, and callers as rules name them.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;

use super::Pbx;
use crate::inventory::At;
use crate::inventory::scalar::E164Text;

/// A contact of the phonebook. It has a name, a surname or a company, and at least one number.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Contact {
    /// First name.
    #[schemars(default)]
    pub first_name: Option<String>,
    /// Last name.
    #[schemars(default)]
    pub last_name: Option<String>,
    /// Company.
    #[schemars(default)]
    pub company: Option<String>,
    /// What the person is there, such as `Director`.
    #[schemars(default)]
    pub title: Option<String>,
    /// The department whose phonebook it is in; the company's when absent.
    #[schemars(default)]
    pub department: Option<At<String>>,
    /// E-mail address.
    #[schemars(default)]
    pub email: Option<At<String>>,
    /// Mobile number, with its country: `+33611223344`.
    #[schemars(default)]
    pub mobile: Option<At<E164Text>>,
    /// Second mobile number.
    #[schemars(default)]
    pub mobile_2: Option<At<E164Text>>,
    /// Number at work.
    #[schemars(default)]
    pub business: Option<At<E164Text>>,
    /// Second number at work.
    #[schemars(default)]
    pub business_2: Option<At<E164Text>>,
    /// Number at home.
    #[schemars(default)]
    pub home: Option<At<E164Text>>,
    /// Another number.
    #[schemars(default)]
    pub other: Option<At<E164Text>>,
    /// Fax number; rules for callers leave it out.
    #[schemars(default)]
    pub fax: Option<At<E164Text>>,
    /// A group that inbound rules can name, such as `best-customers`. It is the inventory's alone: the PBX knows no
    /// groups of contacts.
    #[schemars(default)]
    pub group: Option<At<String>>,
}

impl Contact {
    /// The numbers people call from, by the field they stand in.
    pub fn callers(&self) -> impl Iterator<Item = (&'static str, &At<E164Text>)> {
        [
            ("mobile", &self.mobile),
            ("mobile_2", &self.mobile_2),
            ("business", &self.business),
            ("business_2", &self.business_2),
            ("home", &self.home),
            ("other", &self.other),
        ]
        .into_iter()
        .filter_map(|(field, number)| Some((field, number.as_ref()?)))
    }

    /// All numbers, by the field they stand in.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, &At<E164Text>)> {
        self.callers().chain(self.fax.iter().map(|fax| ("fax", fax)))
    }

    /// The name people know it by.
    pub fn known_as(&self) -> String {
        let person = [&self.first_name, &self.last_name].map(|name| name.as_deref().unwrap_or_default());
        let person = person.join(" ");
        match (person.trim(), self.company.as_deref().unwrap_or_default()) {
            (person, "") => person.to_owned(),
            ("", company) => company.to_owned(),
            (person, company) => format!("{person}, {company}"),
        }
    }
}

/// The settings of the phonebook.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Phonebook {
    /// How a caller's number is found among the contacts' numbers.
    #[schemars(rename = "match")]
    pub matching: At<Matching>,
}

/// How a caller's number is found among the contacts' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// It is not looked for.
    None,
    /// All digits are the same; misses `0611223344` for `+33611223344`.
    Exact,
    /// The last digits are the same, as many as said.
    Last(u8),
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A number, or its beginning with `*` behind.
    Number(String),
    /// The contacts of a group.
    Group(String),
    /// A contact.
    Contact(String),
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(number),
            Self::Group(group) => write!(f, "the group {group}"),
            Self::Contact(contact) => write!(f, "the contact {contact}"),
        }
    }
}

/// A number of a contact that calls.
#[derive(Clone, Copy, Debug)]
pub struct CallerNumber<'a> {
    /// The contact's name in the inventory.
    pub contact: &'a str,
    /// The contact.
    pub entry: &'a Contact,
    /// The number.
    pub number: &'a At<E164Text>,
}

impl Pbx {
    /// The numbers of the contacts that a rule's caller stands for, each once; none for a plain number.
    pub fn caller_numbers(&self, caller: &Caller) -> Vec<CallerNumber<'_>> {
        let belongs = |name: &str, entry: &Contact| match caller {
            Caller::Number(_) => false,
            Caller::Group(group) => entry.group.as_ref().is_some_and(|own| own.value == *group),
            Caller::Contact(contact) => name == contact,
        };
        let mut found = Vec::new();
        let mut known = BTreeSet::new();
        for (contact, entry) in self.contacts.iter().filter(|(name, entry)| belongs(name, entry)) {
            for (_, number) in entry.callers() {
                if known.insert(number.0.0.as_str()) {
                    found.push(CallerNumber { contact, entry, number });
                }
            }
        }
        found
    }
}
