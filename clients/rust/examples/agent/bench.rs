//! What a token costs: by the bare JWT library, by ours for the first time, and where it is remembered.

use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};
use userd_client::{Error, Userd};

pub(super) async fn bench(userd: &Userd, asked: &Value) -> Result<Value, Error> {
    let tokens: Vec<String> = serde_json::from_value(asked["tokens"].clone()).unwrap();
    let text = |part: &Value| part.as_str().unwrap_or_default().to_owned();
    let key = DecodingKey::from_ed_components(&text(&asked["jwk"]["x"])).unwrap();
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_issuer(&[text(&asked["settings"]["issuer"])]);
    rules.set_audience(&[text(&asked["settings"]["audience"])]);
    let began = Instant::now();
    for token in &tokens {
        decode::<Value>(token, &key, &rules).unwrap();
    }
    let bare = began.elapsed();
    // One that remembers none of these.
    let mut options = super::options(&asked["settings"]);
    options.max_tokens = 1;
    let small = Userd::new(options)?;
    small.verify(&tokens[0]).await?;
    let first = all(&small, &tokens).await?;
    all(userd, &tokens).await?;
    let remembered = all(userd, &tokens).await?;
    let each = |whole: Duration| whole.as_secs_f64() / f64::from(u32::try_from(tokens.len()).unwrap());
    Ok(json!({ "bare": each(bare), "first": each(first), "remembered": each(remembered) }))
}

async fn all(userd: &Userd, tokens: &[String]) -> Result<Duration, Error> {
    let began = Instant::now();
    for text in tokens {
        assert!(userd.verify(text).await?.has_permission(&["orders.read"]));
    }
    Ok(began.elapsed())
}
