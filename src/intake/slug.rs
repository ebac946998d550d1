//! Names for the inventory out of names for people.

/// A name of an entry: lower-case letters, digits and dashes; accents are dropped. Empty when nothing is left.
pub fn slug(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' => 'i',
            'ô' | 'ö' | 'ó' | 'õ' => 'o',
            'ù' | 'û' | 'ü' | 'ú' => 'u',
            'ç' => 'c',
            'ñ' => 'n',
            'ÿ' => 'y',
            c if c.is_ascii_alphanumeric() => c,
            'œ' => {
                name.push('o');
                'e'
            }
            'æ' => {
                name.push('a');
                'e'
            }
            _ => '-',
        };
        if plain != '-' || !(name.is_empty() || name.ends_with('-')) {
            name.push(plain);
        }
    }
    name.truncate(63);
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_for_people_become_names_of_entries() {
        assert_eq!(slug("Éole & Cie, Saint-Genis  (69)"), "eole-cie-saint-genis-69");
        assert_eq!(slug("  --  "), "");
        assert_eq!(slug("Sœur"), "soeur");
        assert_eq!(slug(&"x".repeat(80)).len(), 63);
    }
}
