//! stub
use std::path::{Path, PathBuf};
pub struct Templates { root: PathBuf }
impl Templates {
    pub fn open(root: &Path) -> Self { Self { root: root.join("templates") } }
    fn place(&self, p: &str) -> PathBuf { let a = self.root.join(p); if a.exists() { a } else { Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(p) } }
    pub fn source(&self, p: &str) -> anyhow::Result<Vec<u8>> { Ok(std::fs::read(self.place(p))?) }
    pub fn sources(&self, f: &str) -> Vec<String> {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut v = vec![]; let mut st = vec![base.join(f)];
        while let Some(d) = st.pop() { if let Ok(r) = std::fs::read_dir(&d) { for e in r.flatten() { let p = e.path(); if p.is_dir() { if !p.ends_with("__pycache__") { st.push(p) } } else { v.push(p.strip_prefix(&base).unwrap().display().to_string()) } } } }
        v.sort(); v
    }
    pub fn render(&self, p: &str, c: &serde_json::Value) -> anyhow::Result<String> {
        let t = String::from_utf8(self.source(p)?)?;
        let mut env = minijinja::Environment::new(); env.set_keep_trailing_newline(true);
        Ok(env.render_str(&t, c)?)
    }
}
