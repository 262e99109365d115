//! The secrets and keys of webhooks: a new one, what signs beside it, and the one of a request that is repeated.

use userd_channels::webhook::WebhookSecret;
use userd_crypto::{Zeroizing, constant_time_eq};
use userd_model::{Act, EventKind, Refusal, Sealed, Timestamp, Webhook, WebhookId, webhook::SignatureScheme};
use userd_storage::{Failure, UnitOfWork};

use super::{NewWebhook, Webhooks, found};
use crate::{Context, IdempotentRequest, idempotency::Made, recent_proof, user_reader::internal};

const SECRET: &str = "secret";
const PREVIOUS_SECRET: &str = "previous_secret";
/// How many sign beside the present one at most. One is not enough: the receiver may have any of those of the last day, where
/// somebody rotated once more because an answer was lost.
const MOST_PREVIOUS: usize = 4;
/// Between the texts of those, in their one sealed column; there is none in base64.
const BETWEEN: char = ' ';

impl Webhooks {
    /// A new secret, shown this once, or a new key, for signatures of the kind so far or of another one. The old one signs
    /// too for 24 hours, so that the receiver can change over, and so do those that still signed beside it.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`, `NotFound`. For a repeat: `IdempotencyMismatch`, `ReplayRefused`, `SecretAlreadyShown`.
    pub async fn rotate_secret(
        &self,
        ctx: &Context,
        id: WebhookId,
        signature: Option<&str>,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewWebhook, Failure> {
        recent_proof::may_administer(ctx, &Act::ManageWebhooks, &self.deps).await?;
        let scheme = match signature {
            Some(_) => SignatureScheme::asked(signature)?,
            None => {
                let webhook = self.deps.store.reading().webhooks().find(id).await?.ok_or(Refusal::NotFound)?;
                self.current(&webhook)?.scheme()
            }
        };
        let (secret, sealed) = &self.new_secret(id, scheme)?;
        self.changes
            .run(ctx, "rotate_webhook_secret", |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let before = self.created_before(&mut change, made, scheme, idempotent).await?;
                    return change.commit(before).await;
                }
                let mut webhook = found(&mut change, id).await?;
                let previous = self.signing_on(&webhook, change.now)?;
                webhook.rotate_secret(sealed.clone(), previous, change.now);
                webhook.touch(change.now);
                change.webhooks().update(&webhook).await?;
                change.event(EventKind::WebhookSecretRotated, id, serde_json::json!({}));
                let owner = ctx.user().ok().map(|(user, _)| user);
                self.idempotency.save(&mut change, idempotent, Made::Webhook(id), owner).await?;
                if let Some(secret) = secret {
                    self.idempotency.keep_secret(&mut change, idempotent, owner, secret).await?;
                }
                let answer = NewWebhook { webhook: self.view(&webhook)?, secret: secret.clone() };
                change.commit(answer).await
            })
            .await
    }

    /// The present secret and those that sign beside it, newest first, sealed as the previous ones.
    fn signing_on(&self, webhook: &Webhook, now: Timestamp) -> Result<Sealed, Failure> {
        let mut texts = Zeroizing::new(self.open(webhook.id, SECRET, &webhook.secret)?.to_string());
        if let Some(sealed) = webhook.previous_secret(now) {
            for text in self.open(webhook.id, PREVIOUS_SECRET, sealed)?.split(BETWEEN).take(MOST_PREVIOUS - 1) {
                texts.push(BETWEEN);
                texts.push_str(text);
            }
        }
        self.seal(webhook.id, PREVIOUS_SECRET, &texts)
    }

    /// The webhook that the first request made, or gave a secret, with that where that is a matter of minutes.
    pub(super) async fn created_before(
        &self,
        uow: &mut UnitOfWork,
        made: Made,
        scheme: SignatureScheme,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewWebhook, Failure> {
        let Made::Webhook(id) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
        let webhook = uow.webhooks().find(id).await?.ok_or(Refusal::NotFound)?;
        if scheme == SignatureScheme::V1a {
            return Ok(NewWebhook { webhook: self.view(&webhook)?, secret: None });
        }
        let secret = self.idempotency.secret(uow, idempotent).await?;
        let current = self.open(id, SECRET, &webhook.secret)?;
        if !constant_time_eq(secret.as_bytes(), current.as_bytes()) {
            return Err(Refusal::SecretAlreadyShown.into());
        }
        Ok(NewWebhook { webhook: self.view(&webhook)?, secret: Some(secret.to_string()) })
    }

    /// What its receiver is shown of a new secret, and what is stored of it.
    pub(super) fn new_secret(
        &self,
        id: WebhookId,
        scheme: SignatureScheme,
    ) -> Result<(Option<String>, Sealed), Failure> {
        let secret = match scheme {
            SignatureScheme::V1 => WebhookSecret::mint(self.deps.random.as_ref()),
            SignatureScheme::V1a => WebhookSecret::mint_key().map_err(internal)?,
        };
        let text = secret.text().map_err(internal)?;
        let sealed = self.seal(id, SECRET, text.expose())?;
        Ok((Some(text.expose().to_owned()).filter(|_| scheme == SignatureScheme::V1), sealed))
    }

    /// What signs.
    pub(super) fn current(&self, webhook: &Webhook) -> Result<WebhookSecret, Failure> {
        read(&self.open(webhook.id, SECRET, &webhook.secret)?)
    }

    /// What signs beside it, newest first.
    pub(super) fn previous(&self, webhook: &Webhook, now: Timestamp) -> Result<Vec<WebhookSecret>, Failure> {
        let Some(sealed) = webhook.previous_secret(now) else { return Ok(Vec::new()) };
        self.open(webhook.id, PREVIOUS_SECRET, sealed)?.split(BETWEEN).map(read).collect()
    }
}

fn read(text: &str) -> Result<WebhookSecret, Failure> {
    WebhookSecret::parse(text).ok_or_else(|| internal("no secret of a webhook"))
}
