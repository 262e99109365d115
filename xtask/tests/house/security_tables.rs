//! The tables of docs/security: how tags are read, and that no row of ours is forgotten.

use xtask::{security, tree::Tree};

use crate::source::{none, tree};

/// And every fault that is to be survived, on docs/reliability.md (fault 37).
#[test]
fn every_attack_has_a_test_or_a_reason() {
    let tables = security::tables(&Tree::of_this_workspace()).unwrap();
    none("docs/security/abuse-cases.csv", tables.wrong);
}

/// A limit, lifetime, wait, address or secret that is added to the configuration is on the page, with its default.
/// ASVS V6.1.1, V7.1.1, V13.1.1, V13.1.2, V13.1.3, V13.1.4
#[test]
fn every_key_that_safety_rests_on_is_on_the_page_of_properties() {
    none("give it a table in xtask/src/security/properties.rs", security::properties::forgotten(&tree()).unwrap());
}

struct Repository(tempfile::TempDir);

impl Repository {
    /// One attack in a group that must be withstood, one requirement, and this test file.
    fn with(test: &str, not_yet: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "docs/security/abuse-cases.csv",
            "id,group,source,abuse_case,expected\nAC-001,JWT,a,forge | it,refused\nAC-002,MFA,b,skip,refused\n",
        );
        write(
            "docs/security/asvs.csv",
            "id,level,chapter,requirement,applies,condition,verify_kind,verify\nV1.1.1,2,V1 Encoding,decode once,yes,,prop,x\n",
        );
        write("docs/security/not-yet.csv", &format!("id,reason\n{not_yet}"));
        write(
            "docs/config.schema.json",
            r#"{"properties": {"rate_limits": {"properties": {"x": {"format": "rate", "default": "1 then one per 1s"}}}}}"#,
        );
        write("docs/reliability/faults.csv", "id,fault,expected\nF01,kill it,nothing lost\n");
        write("docs/reliability/not-yet.csv", "id,reason\n");
        write("docs/reliability/figures.md", "## Figures\n");
        write("crates/x/tests/t.rs", test);
        write("xtask/src/lib.rs", "//! Nothing.\n");
        write("tests/clients/c.py", "# AC-002: from outside.\n# F01: killed.\ndef test_of_a_client():\n    pass\n");
        Self(folder)
    }

    fn tables(&self) -> Result<security::Tables, String> {
        security::tables(&Tree::at(self.0.path()))
    }
}

#[test]
fn a_tag_links_its_test() {
    let repository = Repository::with(
        "/// AC-001: forged.\n///\n/// ASVS V1.1.1\n#[tokio::test]\nasync fn a_forged_one_is_refused() {}\n",
        "",
    );
    let tables = repository.tables().unwrap();
    assert!(tables.wrong.is_empty(), "{:?}", tables.wrong);
    let [attacks, requirements, properties, faults] = &tables.pages[..] else { panic!("four pages") };
    assert!(properties.text.contains("| `rate_limits.x` | `1 then one per 1s` |"), "{}", properties.text);
    let fault = "| F01 | kill it | nothing lost | [test_of_a_client](../tests/clients/c.py) |";
    assert!(faults.text.contains(fault) && faults.text.ends_with("## Figures\n"), "{}", faults.text);
    let link = "[a_forged_one_is_refused](../../crates/x/tests/t.rs)";
    assert!(attacks.text.contains(&format!("| AC-001 | forge \\| it | a | refused | {link} |")), "{}", attacks.text);
    assert!(attacks.text.contains("[test_of_a_client](../../tests/clients/c.py)"), "{}", attacks.text);
    assert!(requirements.text.contains(&format!("| V1.1.1 | 2 | decode once | {link} |")), "{}", requirements.text);
}

#[test]
fn a_row_with_neither_test_nor_reason_is_wrong() {
    let tables = Repository::with("fn nothing() {}\n", "").tables().unwrap();
    assert_eq!(tables.wrong.len(), 1, "{:?}", tables.wrong);
    assert!(tables.wrong[0].starts_with("AC-001 (JWT) has no test: forge | it."), "{:?}", tables.wrong);
}

#[test]
fn a_reason_stands_in_for_a_test_and_falls_with_it() {
    let excused = Repository::with("", "AC-001,no tokens yet\n").tables().unwrap();
    assert!(excused.wrong.is_empty(), "{:?}", excused.wrong);
    assert!(excused.pages[0].text.contains("Not yet: no tokens yet"));
    let tables = Repository::with("/// AC-001: forged.\nfn refused() {}\n", "AC-001,no tokens yet\n").tables().unwrap();
    assert_eq!(tables.wrong, ["AC-001 has a test now: remove its line from not-yet.csv"]);
}

#[test]
fn a_tag_without_a_row_or_without_a_test_is_wrong() {
    let unknown = Repository::with("/// AC-001, AC-999: two.\nfn refused() {}\n", "").tables().unwrap();
    assert_eq!(unknown.wrong, ["there is no row AC-999, which is named by refused in crates/x/tests/t.rs"]);
    let floating = Repository::with("/// AC-001: forged.\n\nstruct Token;\n", "").tables();
    assert_eq!(floating.unwrap_err(), "crates/x/tests/t.rs:2: AC-001 stands above no test");
}
