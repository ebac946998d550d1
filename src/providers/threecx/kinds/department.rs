//! Departments (XAPI: groups) with their hours and routes. `default` is the one every PBX has: it is never
//! made or deleted, and keeps its title.

use serde_json::{Map, Value as Json, json};

use super::super::directory::{Directory, SYSTEM};
use super::super::forms;
use super::super::kind::{
    Form, Identity, Kind, Patch, Unmade, Wishing, field_in, put_plain, see_plain, title,
};
use crate::model::{Fields, Value};

pub struct Departments;

const DEFAULT: &str = "default";
const PLAIN: [(&str, &str); 2] = [("title", "Name"), ("language", "Language")];
const ROUTES: [(&str, &str); 4] = [
    ("when_open", "OfficeRoute"),
    ("when_closed", "OutOfOfficeRoute"),
    ("on_break", "BreakRoute"),
    ("on_holiday", "HolidaysRoute"),
];
/// The console writes this type for hours of a department's own.
const HOURS: &str = "SpecificHoursExcludingHolidays";

impl Kind for Departments {
    fn collection(&self) -> &'static str {
        "department"
    }

    fn set(&self) -> &'static str {
        "Groups"
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=Id,Number,Name,Language,TimeZoneId,IsDefault,Hours,BreakTime,OfficeRoute,OutOfOfficeRoute,BreakRoute,\
         HolidaysRoute"
            .to_owned()
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (name, one) in &pbx.departments.entries {
            let mut form = Form::new(&one.place);
            if name != DEFAULT {
                form.at("title", &one.title.place, one.title.value.as_str());
            }
            form.option("language", one.language.as_ref(), |language| language.as_str().into());
            form.option_at("timezone", one.timezone.as_ref(), |zone| zone.as_str().into());
            form.option_at("hours", one.hours.as_ref(), forms::week);
            form.option_at("breaks", one.breaks.as_ref(), forms::week);
            for (field, route) in [
                ("when_open", &one.when_open),
                ("when_closed", &one.when_closed),
                ("on_break", &one.on_break),
                ("on_holiday", &one.on_holiday),
            ] {
                form.option_at(field, route.as_ref(), forms::route);
            }
            wishing.add("department", name, form, one.title.value.as_str());
        }
    }

    fn handle(&self, wished: &Fields) -> Option<String> {
        title(wished)
    }

    fn identify(&self, entity: &Json, directory: &Directory) -> Option<Identity> {
        let title = entity["Name"].as_str()?;
        if title.starts_with("___") {
            return None;
        }
        let system = entity["IsDefault"] == true;
        let name = match (system, directory.name_for("department", title)) {
            (true, _) => DEFAULT.to_owned(),
            // Another one that is called so must not be taken for it.
            (false, name) if name == DEFAULT => format!("{DEFAULT}-department"),
            (false, name) => name,
        };
        Identity::numbered(name, entity).map(|identity| Identity { system, ..identity })
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(&PLAIN, entity, &mut fields);
        let zone = directory.zone(entity["TimeZoneId"].as_str().unwrap_or_default());
        fields.insert("timezone".to_owned(), zone.unwrap_or_default().into());
        fields.insert("hours".to_owned(), forms::seen_schedule(&entity["Hours"]));
        fields.insert("breaks".to_owned(), forms::seen_schedule(&entity["BreakTime"]));
        forms::see_routes(&ROUTES, entity, directory, &mut fields);
        fields
    }

    fn create(&self, name: &str, wished: &Fields, _directory: &Directory) -> Result<Json, Unmade> {
        if name == DEFAULT {
            return Err("the PBX has no default department; it cannot be made".to_owned());
        }
        let mut body = Map::new();
        put_plain(&PLAIN, wished, &mut body);
        Ok(Json::Object(body))
    }

    fn created_with(&self) -> &'static [&'static str] {
        &["title", "language"]
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        _entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put_plain(&PLAIN, fields, &mut body);
        if let Some(zone) = fields.get("timezone").and_then(Value::as_text) {
            let id = directory.key(SYSTEM, &format!("zone/{zone}"));
            let id = id.ok_or_else(|| format!("the PBX does not know the time zone {zone}"))?;
            body.insert("TimeZoneId".to_owned(), json!(id));
        }
        if let Some(hours) = fields.get("hours") {
            body.insert("Hours".to_owned(), forms::to_schedule(hours, HOURS));
        }
        if let Some(breaks) = fields.get("breaks") {
            body.insert("BreakTime".to_owned(), forms::to_schedule(breaks, "SpecificHours"));
        }
        forms::put_routes(&ROUTES, fields, directory, &mut body)?;
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Hours" => Some("hours"),
            "BreakTime" => Some("breaks"),
            "TimeZoneId" => Some("timezone"),
            _ => field_in(&PLAIN, property).or_else(|| field_in(&ROUTES, property)),
        }
    }
}
