//! Entries of the audit log as lines: JSON Lines, ArcSight's Common Event Format (CEF 0), and syslog (RFC 5424).
//! Deliberately absent: sending them; whatever collects logs here reads lines.

use serde_json::json;
use userd_services::audit::{AuditParty, AuditView};

use crate::cli::AuditFormat;

/// Facility "log audit" (13), severity "notice" (5).
const PRIORITY: u8 = 13 * 8 + 5;
/// The number that RFC 5612 keeps for whoever has none.
const ENTERPRISE: &str = "userd@32473";

/// One line, without its end.
///
/// # Errors
/// What cannot be written as JSON.
pub(super) fn line(item: &AuditView, format: AuditFormat, site: &str) -> Result<String, serde_json::Error> {
    match format {
        AuditFormat::Jsonl => serde_json::to_string(item),
        AuditFormat::Cef => cef(item),
        AuditFormat::Syslog => syslog(item, site),
    }
}

/// What is more than the fields of a format have room for.
fn rest(item: &AuditView) -> Result<String, serde_json::Error> {
    serde_json::to_string(&json!({ "before": item.before, "after": item.after, "data": item.data }))
}

fn name(party: &AuditParty) -> String {
    party.id.as_ref().map_or_else(|| party.kind.clone(), |id| format!("{}:{id}", party.kind))
}

fn cef(item: &AuditView) -> Result<String, serde_json::Error> {
    let header = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ");
    let value = |text: &str| text.replace('\\', "\\\\").replace('=', "\\=").replace('\n', "\\n").replace('\r', "\\r");
    let mut fields = vec![
        ("rt", (item.at.micros() / 1000).to_string()),
        ("externalId", item.id.to_string()),
        ("act", item.act.clone()),
        ("suser", name(&item.actor)),
        ("duser", name(&item.subject)),
        ("cn1Label", "position".to_owned()),
        ("cn1", item.position.to_string()),
        ("cs1Label", "hash".to_owned()),
        ("cs1", item.hash.clone()),
    ];
    if let Some(request) = &item.request_id {
        fields.extend([("cs2Label", "requestId".to_owned()), ("cs2", request.clone())]);
    }
    if let Some(origin) = &item.origin {
        fields.extend(origin.ip.iter().map(|ip| (if ip.contains(':') { "c6a2" } else { "src" }, ip.clone())));
        fields.extend(origin.user_agent.iter().map(|agent| ("requestClientApplication", agent.clone())));
    }
    fields.push(("msg", rest(item)?));
    let fields: Vec<String> = fields.iter().map(|(key, text)| format!("{key}={}", value(text))).collect();
    let act = header(&item.act);
    Ok(format!(
        "CEF:0|userd|userd|{}|{act}|{act}|{}|{}",
        env!("CARGO_PKG_VERSION"),
        severity(&item.act),
        fields.join(" ")
    ))
}

/// From 0 to 10: what somebody should look at is higher than what happens all day.
fn severity(act: &str) -> u8 {
    match act {
        "session.refresh_token_replayed" => 8,
        "session.started" | "session.ended" | "user.changed" => 2,
        _ => 4,
    }
}

fn syslog(item: &AuditView, site: &str) -> Result<String, serde_json::Error> {
    let value = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]");
    let word = |text: &str, most: usize| {
        let word: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
        if word.is_empty() { "-".to_owned() } else { word }
    };
    let mut parameters = vec![
        ("position", item.position.to_string()),
        ("id", item.id.to_string()),
        ("actor", name(&item.actor)),
        ("subject", name(&item.subject)),
        ("hash", item.hash.clone()),
    ];
    parameters.extend(item.request_id.iter().map(|id| ("request_id", id.clone())));
    if let Some(origin) = &item.origin {
        parameters.extend(origin.ip.iter().map(|ip| ("ip", ip.clone())));
        parameters.extend(origin.user_agent.iter().map(|agent| ("user_agent", agent.clone())));
    }
    let parameters: String = parameters.iter().map(|(key, text)| format!(" {key}=\"{}\"", value(text))).collect();
    let (site, act) = (word(site, 255), word(&item.act, 32));
    Ok(format!("<{PRIORITY}>1 {} {site} userd - {act} [{ENTERPRISE}{parameters}] {}", item.at, rest(item)?))
}

#[cfg(test)]
mod tests {
    use userd_model::Timestamp;
    use userd_services::fact_drafts::FactOrigin;

    use super::*;

    fn item() -> AuditView {
        let party = |kind: &str, id: Option<&str>| AuditParty { kind: kind.to_owned(), id: id.map(str::to_owned) };
        AuditView {
            id: uuid::Uuid::nil(),
            position: 7,
            at: Timestamp::from_micros(1_796_000_000_123_456),
            actor: party("operator", None),
            act: "user.blocked".to_owned(),
            subject: party("user", Some("42")),
            before: None,
            after: Some(json!({ "reason": "a=b|c\\d\n\"]" })),
            data: json!({}),
            origin: Some(FactOrigin { ip: Some("192.0.2.1".to_owned()), user_agent: Some("X/1 [=|\"]".to_owned()) }),
            request_id: Some("r-1".to_owned()),
            hash: "AA==".to_owned(),
        }
    }

    #[test]
    fn every_format_is_one_line_in_which_nothing_breaks_out_of_its_field() {
        for format in [AuditFormat::Jsonl, AuditFormat::Cef, AuditFormat::Syslog] {
            assert!(!line(&item(), format, "users.example").expect("a line").contains('\n'));
        }
        let cef = line(&item(), AuditFormat::Cef, "users.example").expect("a line");
        assert!(cef.starts_with("CEF:0|userd|userd|"), "{cef}");
        assert!(cef.contains("|user.blocked|user.blocked|4|rt=1796000000123 "), "{cef}");
        assert!(cef.contains(" suser=operator duser=user:42 cn1Label=position cn1=7 "), "{cef}");
        assert!(cef.contains(r#"src=192.0.2.1 requestClientApplication=X/1 [\=|"] msg="#), "{cef}");
        let syslog = line(&item(), AuditFormat::Syslog, "users.example").expect("a line");
        let begin = "<109>1 2026-11-30T";
        assert!(syslog.starts_with(begin) && syslog.contains("Z users.example userd - user.blocked [userd@32473 "));
        assert!(syslog.contains(r#" user_agent="X/1 [=|\"\]"] {"#), "{syslog}");
    }
}
