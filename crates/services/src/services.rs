//! Every service, wired: the only place that knows what each one needs.

use std::sync::Arc;

use crate::{
    Dependencies,
    access_requests::{AccessRequests, Approvals},
    access_tokens::AccessTokens,
    accounts::Accounts,
    admission::AdmissionRules,
    audit::Audit,
    authenticate::LastLook,
    bot::{BotUpdates, TelegramBot},
    change::Changes,
    clients::Clients,
    deletion::Deletions,
    deliveries::{Channels, Deliveries},
    email_codes::EmailCodes,
    emails::Emails,
    event_log::EventLog,
    events::Events,
    factors::Factors,
    global_revocation::GlobalRevocation,
    health::Health,
    idempotency::IdempotencyKeys,
    import::Imports,
    invitations::Invitations,
    limits::{LimitSettings, Limits},
    links::Links,
    messages::Messages,
    not_me::NotMe,
    notifications::Notifications,
    overview::Overview,
    passwords::PasswordProof,
    preferences::NotificationPreferences,
    recovery::Recovery,
    revocations::Revocations,
    role_reader::RoleReader,
    roles::{Grants, PermissionChecks, Permissions, Roles},
    sessions::{Replays, Sessions},
    setup::Setup,
    sign_in::{BotCommands, ChatDecisions, SignIn},
    signing_keys::SigningKeys,
    streams::Streams,
    sweeper::Sweeper,
    template_previews::TemplatePreviews,
    user_reader::UserReader,
    users::Users,
    ways_in::WaysIn,
    webhooks::Webhooks,
};

/// Every service, wired.
pub struct Services {
    /// What they are made from, for what stands beside the services (readiness, command line).
    pub deps: Dependencies,
    /// The one way to make a change.
    pub changes: Changes,
    /// Proof and change of e-mail addresses.
    pub emails: Emails,
    /// Sign-in by mailed codes.
    pub email_codes: EmailCodes,
    /// People of other software.
    pub imports: Imports,
    /// Invitations to register.
    pub invitations: Invitations,
    /// Deletion, restoration, erasure.
    pub deletions: Deletions,
    /// Forgotten passwords.
    pub recovery: Recovery,
    /// Registration, profile, password, username.
    pub accounts: Accounts,
    /// Sign-in by password, refresh, sign-out, the list of sessions.
    pub sessions: Sessions,
    /// Second factors.
    pub factors: Factors,
    /// Issue, check, introspect and revoke access tokens.
    pub access_tokens: AccessTokens,
    /// The revocation view and feed.
    pub revocations: Arc<Revocations>,
    /// The life of signing keys and master-key rotation.
    pub signing_keys: SigningKeys,
    /// Service accounts.
    pub clients: Clients,
    /// Webhooks of other services.
    pub webhooks: Webhooks,
    /// What other parties end of somebody.
    pub global_revocation: GlobalRevocation,
    /// Streams of shared signals.
    pub streams: Streams,
    /// Administration of accounts.
    pub users: Users,
    /// The first administrator.
    pub setup: Setup,
    /// Sign-in through providers, linking.
    pub sign_in: SignIn,
    /// What reaches users how.
    pub preferences: NotificationPreferences,
    /// Links in messages.
    pub links: Links,
    /// What follows from the links that say "this was not me".
    pub not_me: NotMe,
    /// What the messenger's bot hears.
    pub bot: BotUpdates,
    /// Inboxes.
    pub notifications: Notifications,
    /// What other services send to users.
    pub messages: Messages,
    /// Messages on their way.
    pub deliveries: Arc<Deliveries>,
    /// From the outbox to the event log.
    pub event_log: Arc<EventLog>,
    /// The event feed.
    pub events: Events,
    /// The audit log.
    pub audit: Audit,
    /// Whether the database serves.
    pub health: Health,
    /// How it goes, at a glance.
    pub overview: Overview,
    /// What messages say.
    pub template_previews: TemplatePreviews,
    /// Removal of what has expired.
    pub sweeper: Sweeper,
    /// Saved answers of repeated requests.
    pub idempotency: IdempotencyKeys,
    /// Users as their owners and administrators see them.
    pub user_reader: UserReader,
    /// What roles allow.
    pub role_reader: RoleReader,
    /// Roles, made and changed.
    pub roles: Roles,
    /// The words of permissions.
    pub permissions: Permissions,
    /// Roles and permissions, given and taken.
    pub grants: Grants,
    /// Requests for a change of rights.
    pub access_requests: AccessRequests,
    /// What somebody may do.
    pub permission_checks: PermissionChecks,
    /// Attempts and delays.
    pub limits: Limits,
    pub(crate) last_look: LastLook,
}

impl Services {
    /// Wires the services over `deps`. `providers` in the order in which they are offered.
    #[must_use]
    pub fn new(
        deps: Dependencies,
        providers: Vec<Arc<dyn userd_providers::Provider>>,
        bot: Option<Arc<TelegramBot>>,
        channels: Channels,
    ) -> Arc<Self> {
        let revocations = Arc::new(Revocations::new(deps.clone()));
        let user_reader = UserReader::new(deps.clone());
        let role_reader = RoleReader::new(deps.clone());
        let changes = Changes::new(&deps, Arc::clone(&revocations), user_reader.clone(), role_reader.clone());
        let limits = Limits::new(deps.clone());
        let idempotency = IdempotencyKeys::new(deps.clone());
        let proof = PasswordProof::new(deps.clone(), limits.clone());
        let access_tokens =
            AccessTokens::new(deps.clone(), changes.clone(), Arc::clone(&revocations), role_reader.clone());
        let providers = Arc::new(arc_swap::ArcSwap::from_pointee(providers));
        let ways_in = WaysIn::new(deps.clone(), Arc::clone(&providers));
        let sessions = Sessions {
            admission: AdmissionRules::new(deps.clone(), Arc::clone(&providers)),
            replays: Replays::default(),
            deps: deps.clone(),
            changes: changes.clone(),
            access_tokens: access_tokens.clone(),
            user_reader: user_reader.clone(),
            limits: limits.clone(),
            proof: proof.clone(),
        };
        let factors = Factors {
            deps: deps.clone(),
            changes: changes.clone(),
            sessions: sessions.clone(),
            user_reader: user_reader.clone(),
            limits: limits.clone(),
            idempotency: idempotency.clone(),
            proof: proof.clone(),
            ways_in: ways_in.clone(),
        };
        let notifications = Notifications::new(deps.clone(), changes.clone());
        let links = Links::new(deps.clone(), changes.clone(), limits.clone());
        let sender = Arc::clone(&channels.webhooks);
        let template_previews = TemplatePreviews { templates: Arc::clone(&channels.templates) };
        let webhooks =
            Webhooks::new(deps.clone(), changes.clone(), limits.clone(), idempotency.clone(), Arc::clone(&sender));
        let tellers = (notifications.clone(), links.clone(), limits.clone(), webhooks.clone());
        let deliveries =
            Arc::new(Deliveries::new(deps.clone(), changes.clone(), tellers, channels, Arc::clone(&providers)));
        let invitations = Invitations {
            deps: deps.clone(),
            changes: changes.clone(),
            limits: limits.clone(),
            roles: role_reader.clone(),
            idempotency: idempotency.clone(),
            deliveries: Arc::clone(&deliveries),
        };
        let approvals = Approvals { deps: deps.clone(), deliveries: Arc::clone(&deliveries) };
        let emails = Emails {
            deps: deps.clone(),
            changes: changes.clone(),
            sessions: sessions.clone(),
            limits: limits.clone(),
            proof: proof.clone(),
            deliveries: Arc::clone(&deliveries),
            invitations: invitations.clone(),
            approvals: approvals.clone(),
            idempotency: idempotency.clone(),
        };
        let email_codes = EmailCodes {
            deps: deps.clone(),
            changes: changes.clone(),
            sessions: sessions.clone(),
            limits: limits.clone(),
            deliveries: Arc::clone(&deliveries),
        };
        let deletions = Deletions {
            deps: deps.clone(),
            changes: changes.clone(),
            sessions: sessions.clone(),
            user_reader: user_reader.clone(),
            limits: limits.clone(),
            proof: proof.clone(),
            deliveries: Arc::clone(&deliveries),
        };
        let recovery = Recovery {
            deps: deps.clone(),
            changes: changes.clone(),
            limits: limits.clone(),
            proof: proof.clone(),
            user_reader: user_reader.clone(),
            deliveries: Arc::clone(&deliveries),
        };
        let accounts = Accounts {
            deps: deps.clone(),
            changes: changes.clone(),
            sessions: sessions.clone(),
            user_reader: user_reader.clone(),
            limits: limits.clone(),
            proof,
            emails: emails.clone(),
            idempotency: idempotency.clone(),
            approvals: approvals.clone(),
            repeats: Arc::default(),
        };
        let sign_in = SignIn::new(
            deps.clone(),
            changes.clone(),
            sessions.clone(),
            limits.clone(),
            providers,
            bot.clone(),
            (invitations.clone(), approvals, ways_in.clone(), deletions.clone()),
        );
        let not_me = NotMe {
            deps: deps.clone(),
            changes: changes.clone(),
            links: links.clone(),
            factors: factors.clone(),
            sign_in: sign_in.clone(),
            ways_in,
            deliveries: Arc::clone(&deliveries),
        };
        let event_log = Arc::new(EventLog::new(deps.clone(), changes.clone(), Arc::clone(&deliveries)));
        let signing_keys = SigningKeys::new(deps.clone(), changes.clone());
        let streams = Streams::new(
            (deps.clone(), changes.clone(), limits.clone()),
            Events::new(deps.clone(), Arc::clone(&event_log)),
            role_reader.clone(),
            signing_keys.clone(),
            sender,
        );
        let global_revocation =
            GlobalRevocation { deps: deps.clone(), changes: changes.clone(), limits: limits.clone() };
        let own = (deps.clone(), changes.clone(), idempotency.clone());
        let grants = Grants { deps: deps.clone(), changes: changes.clone(), deliveries: Arc::clone(&deliveries) };
        let access_requests = AccessRequests {
            deps: deps.clone(),
            changes: changes.clone(),
            limits: limits.clone(),
            idempotency: idempotency.clone(),
            deliveries: Arc::clone(&deliveries),
        };
        let decisions = Arc::new(ChatDecisions { sign_in: sign_in.clone(), requests: access_requests.clone() });
        deliveries.make_cards_by(&(Arc::clone(&decisions) as _));
        Arc::new(Self {
            setup: Setup::new(deps.clone(), changes.clone(), accounts.clone()),
            bot: BotUpdates::new(
                deps.clone(),
                changes.clone(),
                bot,
                vec![Arc::new(BotCommands(sign_in.clone())), decisions, Arc::new(sign_in.clone())],
            ),
            imports: Imports { deps: deps.clone(), changes: changes.clone(), sign_in: sign_in.clone() },
            sign_in,
            clients: Clients::new(
                deps.clone(),
                changes.clone(),
                access_tokens.clone(),
                limits.clone(),
                idempotency.clone(),
            ),
            webhooks,
            global_revocation,
            streams,
            signing_keys,
            users: Users::new(deps.clone(), changes.clone(), user_reader.clone()),
            events: Events::new(deps.clone(), Arc::clone(&event_log)),
            audit: Audit::new(deps.clone(), changes.clone(), limits.clone()),
            event_log,
            preferences: NotificationPreferences::new(deps.clone(), changes.clone()),
            not_me,
            links,
            notifications,
            messages: Messages::new(
                deps.clone(),
                changes.clone(),
                limits.clone(),
                idempotency.clone(),
                Arc::clone(&deliveries),
            ),
            deliveries,
            health: Health::new(deps.clone(), changes.clone()),
            overview: Overview::new(deps.clone()),
            template_previews,
            sweeper: Sweeper::new(deps.clone(), changes.clone()),
            deps,
            changes,
            emails,
            email_codes,
            invitations,
            recovery,
            deletions,
            accounts,
            sessions,
            factors,
            access_tokens,
            revocations,
            idempotency,
            permission_checks: PermissionChecks {
                deps: own.0.clone(),
                users: user_reader.clone(),
                roles: role_reader.clone(),
            },
            roles: Roles { deps: own.0.clone(), changes: own.1.clone(), idempotency: own.2.clone() },
            permissions: Permissions { deps: own.0, changes: own.1, idempotency: own.2 },
            grants,
            access_requests,
            user_reader,
            role_reader,
            limits,
            last_look: LastLook::default(),
        })
    }

    /// Other limits and providers from now on, for requests that begin later. The bot stays the one of the start.
    pub fn reload(&self, limits: LimitSettings, providers: Vec<Arc<dyn userd_providers::Provider>>) {
        self.limits.replace(limits);
        self.sign_in.replace(providers);
    }

    /// A context that begins now, of nobody from nowhere. The edge says who acts and from where.
    #[must_use]
    pub fn context(&self) -> crate::Context {
        self.deps.context()
    }

    /// The context of the operator at the command line.
    #[must_use]
    pub fn operator_context(&self) -> crate::Context {
        self.context().acting_as(userd_model::Actor::Operator)
    }
}
