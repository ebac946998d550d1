//! The page's words in French. A word that is not here stays as it is: names, addresses, models.

const WORDS: &[(&str, &str)] = &[
    ("Hand-over file", "Dossier de remise"),
    ("Site", "Site"),
    ("Time zone", "Fuseau horaire"),
    ("Date", "Date"),
    ("Commit", "Commit"),
    ("Contents", "Sommaire"),
    ("Equipment", "Équipements"),
    ("The way of the readings", "Le chemin des mesures"),
    ("Sensors", "Capteurs"),
    ("Sensor labels", "Étiquettes des capteurs"),
    ("Who reads what", "Qui lit quoi"),
    ("Certificates", "Certificats"),
    ("Telephone system", "Téléphonie"),
    ("Directory", "Annuaire"),
    ("Groups, queues, menus", "Groupes, files d'attente, menus"),
    ("Opening hours", "Horaires d'ouverture"),
    ("Numbers called from outside", "Numéros appelés de l'extérieur"),
    ("The way of calls", "Le chemin des appels"),
    ("Keys of phones", "Touches des téléphones"),
    ("Emergency numbers", "Numéros d'urgence"),
    ("Passwords and keys", "Mots de passe et clés"),
    ("Name", "Nom"),
    ("What it is", "Nature"),
    ("Address", "Adresse"),
    ("Serial number, MAC", "N° de série, MAC"),
    ("Serial number", "N° de série"),
    ("Firmware", "Micrologiciel"),
    ("Remarks", "Remarques"),
    ("Gateway", "Passerelle"),
    ("Period", "Période"),
    ("Topic", "Sujet"),
    ("Broker", "Courtier"),
    ("Client", "Client"),
    ("Reads", "Lit"),
    ("Publishes", "Publie"),
    ("Certificate", "Certificat"),
    ("Names", "Noms"),
    ("From", "Du"),
    ("Until", "Au"),
    ("Days left", "Jours restants"),
    ("Number", "Numéro"),
    ("Department", "Service"),
    ("Mobile", "Mobile"),
    ("E-mail", "Courriel"),
    ("Members", "Membres"),
    ("Breaks", "Pauses"),
    ("Called", "Appelé"),
    ("Rule", "Règle"),
    ("Rings", "Sonne"),
    ("When closed", "Fermé"),
    ("On holidays", "Jours fériés"),
    ("Key", "Touche"),
    ("Does", "Action"),
    ("Line", "Ligne"),
    ("Watch and call", "Voir et appeler"),
    ("Call", "Appeler"),
    ("Park and pick up", "Parquer et reprendre"),
    ("Log in to queues", "Entrer dans les files"),
    ("Log out of queues", "Sortir des files"),
    ("Profile", "Profil"),
    ("Available", "Disponible"),
    ("Away", "Absent"),
    ("Out of office", "Hors du bureau"),
    ("Custom 1", "Personnel 1"),
    ("Custom 2", "Personnel 2"),
    ("Ring group", "Groupe d'appel"),
    ("Queue", "File d'attente"),
    ("Menu", "Menu vocal"),
    (
        "Codes after LoRa Alliance TR005, for the scanner of a network server. They hold no key. The vendor's number \
         of the profile is not known and stands as 0000.",
        "Codes selon LoRa Alliance TR005, pour le lecteur d'un serveur de réseau. Ils ne contiennent aucune clé. Le \
         numéro de profil du fabricant n'est pas connu et vaut 0000.",
    ),
    (
        "Of some sensors the vendor is not known either; it stands as 0000.",
        "De certains capteurs, le fabricant n'est pas connu non plus ; il vaut 0000.",
    ),
    (
        "This file holds none. They lie encrypted in the repository; who may open them is listed there.",
        "Ce dossier n'en contient aucun. Ils sont chiffrés dans le dépôt, avec la liste de ceux qui peuvent les \
         ouvrir.",
    ),
];

/// A word in French.
pub fn words(text: String) -> String {
    WORDS.iter().find(|(english, _)| *english == text).map_or(text, |(_, french)| (*french).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_page_is_known() {
        let page = super::super::PAGE;
        let missing: Vec<&str> = page
            .match_indices("t(\"")
            .filter_map(|(at, _)| page[at + 3..].split('"').next())
            .filter(|text| !WORDS.iter().any(|(english, _)| english == text))
            .collect();
        assert_eq!(missing, [""; 0]);
        let sources = [include_str!("../dossier.rs"), include_str!("telephony.rs")];
        for line in sources.iter().flat_map(|text| text.lines()).filter(|line| line.contains("Table::new(&["))
        {
            for word in
                line.split('"').skip(1).step_by(2).filter(|word| !matches!(*word, "DevEUI" | "JoinEUI"))
            {
                assert!(WORDS.iter().any(|(english, _)| *english == word), "{word}");
            }
        }
    }
}
