//! A client on the bare protocol: what an SDK would hide is what the tests are about.

use std::sync::atomic::{AtomicU32, Ordering};

use tonic::transport::Channel;
use ydb_emulator::{Emulator, Options, StatusCode};
use ydb_grpc::ydb_proto::{
    ResultSet, Type, TypedValue, Value,
    issue::IssueMessage,
    query::{
        AttachSessionRequest, BeginTransactionRequest, CommitTransactionRequest, CreateSessionRequest, ExecMode,
        ExecuteQueryRequest, QueryContent, RollbackTransactionRequest, SerializableModeSettings, SessionState,
        SnapshotModeSettings, Syntax, TransactionControl, TransactionSettings, execute_query_request::Query,
        transaction_control::TxSelector, transaction_settings::TxMode, v1::query_service_client::QueryServiceClient,
    },
    r#type::{PrimitiveTypeId, Type as Kind},
    value::Value as Simple,
};

/// A refusal: its status (none: the transport failed), and the codes of all issues.
#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) transport: Option<tonic::Code>,
    pub(crate) issues: Vec<u32>,
    pub(crate) message: String,
}

pub(crate) type Answer<T> = Result<T, Refused>;

/// A database to test, with a prefix for this test's tables.
pub(crate) struct Database {
    emulator: Option<Emulator>,
    channel: Channel,
    prefix: String,
}

pub(crate) struct Session {
    pub(crate) calls: QueryServiceClient<Channel>,
    pub(crate) id: String,
    prefix: String,
    pub(crate) attached: tonic::Streaming<SessionState>,
}

#[derive(Default)]
pub(crate) struct Done {
    pub(crate) sets: Vec<ResultSet>,
    pub(crate) tx: String,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// The live cluster, or an emulator.
    pub(crate) async fn new() -> Self {
        match live() {
            Some(address) => Self::at(&address, None).await,
            None => Self::start(Options::default()).await,
        }
    }

    /// An emulator.
    pub(crate) async fn start(options: Options) -> Self {
        let emulator = Emulator::start(options).await.unwrap();
        Self::at(&emulator.connection_string(), Some(emulator)).await
    }

    async fn at(address: &str, emulator: Option<Emulator>) -> Self {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let prefix = if emulator.is_some() { String::new() } else { format!("t{}_{number}_", std::process::id()) };
        Self { channel: channel(address).await, emulator, prefix }
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    pub(crate) async fn session(&self) -> Session {
        Session::open(self.channel.clone(), &self.prefix).await.unwrap()
    }

    /// A session, with tables made by these texts.
    pub(crate) async fn with(tables: &[&str]) -> (Self, Session) {
        let database = Self::new().await;
        let session = database.session().await;
        for text in tables {
            session.alter(text).await.unwrap();
        }
        (database, session)
    }
}

/// A live cluster to test instead.
#[expect(clippy::disallowed_methods, reason = "the environment is how tests are told of their servers")]
fn live() -> Option<String> {
    std::env::var("YDB_CONNECTION_STRING").ok()
}

pub(crate) async fn channel(address: &str) -> Channel {
    let endpoint = address.replace("grpc://", "http://").replace("grpcs://", "https://");
    let host: String = endpoint.split('/').take(3).collect::<Vec<_>>().join("/");
    Channel::from_shared(host).unwrap().connect().await.unwrap()
}

impl Session {
    pub(crate) async fn open(channel: Channel, prefix: &str) -> Answer<Self> {
        let mut calls = QueryServiceClient::new(channel).max_decoding_message_size(64 << 20);
        let created = transported(calls.create_session(CreateSessionRequest {}).await)?;
        accepted(created.status, &created.issues)?;
        let id = created.session_id;
        let attach = AttachSessionRequest { session_id: id.clone() };
        let mut attached = transported(calls.attach_session(attach).await)?;
        let state = attached.message().await.unwrap().unwrap();
        accepted(state.status, &state.issues)?;
        Ok(Self { calls, id, prefix: prefix.to_owned(), attached })
    }

    /// Names in braces are tables of this test.
    fn text(&self, text: &str) -> String {
        text.replace('{', &format!("`{}", self.prefix)).replace('}', "`")
    }

    async fn call(
        &self,
        text: &str,
        given: &[(&str, TypedValue)],
        control: Option<TransactionControl>,
    ) -> Answer<Done> {
        let content = QueryContent { syntax: Syntax::YqlV1 as i32, text: self.text(text) };
        let request = ExecuteQueryRequest {
            session_id: self.id.clone(),
            exec_mode: ExecMode::Execute as i32,
            tx_control: control,
            parameters: given.iter().map(|(name, value)| (format!("${name}"), value.clone())).collect(),
            query: Some(Query::QueryContent(content)),
            ..Default::default()
        };
        let mut parts = transported(self.calls.clone().execute_query(request).await)?;
        let mut done = Done::default();
        while let Some(part) = transported(parts.message().await.map(tonic::Response::new))? {
            accepted(part.status, &part.issues)?;
            done.tx = part.tx_meta.map_or(done.tx, |meta| meta.id);
            let Some(set) = part.result_set else { continue };
            let index = usize::try_from(part.result_set_index).unwrap();
            match done.sets.get_mut(index) {
                Some(before) => before.rows.extend(set.rows),
                None => done.sets.push(set),
            }
        }
        Ok(done)
    }

    /// Without a transaction.
    pub(crate) async fn alter(&self, text: &str) -> Answer<()> {
        self.call(text, &[], None).await.map(drop)
    }

    /// In a transaction of its own.
    pub(crate) async fn run(&self, text: &str, given: &[(&str, TypedValue)]) -> Answer<Done> {
        self.call(text, given, Some(control(serializable(), true))).await
    }

    pub(crate) async fn snapshot(&self, text: &str, given: &[(&str, TypedValue)]) -> Answer<Done> {
        let mode = TxMode::SnapshotReadOnly(SnapshotModeSettings {});
        self.call(text, given, Some(control(mode, true))).await
    }

    /// The first statement of a transaction.
    pub(crate) async fn first(&self, text: &str, given: &[(&str, TypedValue)]) -> Answer<Done> {
        self.call(text, given, Some(control(serializable(), false))).await
    }

    pub(crate) async fn more(&self, tx: &str, text: &str, given: &[(&str, TypedValue)]) -> Answer<Done> {
        let selector = Some(TxSelector::TxId(tx.to_owned()));
        self.call(text, given, Some(TransactionControl { commit_tx: false, tx_selector: selector })).await
    }

    pub(crate) async fn last(&self, tx: &str, text: &str, given: &[(&str, TypedValue)]) -> Answer<Done> {
        let selector = Some(TxSelector::TxId(tx.to_owned()));
        self.call(text, given, Some(TransactionControl { commit_tx: true, tx_selector: selector })).await
    }

    pub(crate) async fn begin(&self, mode: TxMode) -> Answer<String> {
        let request = BeginTransactionRequest {
            session_id: self.id.clone(),
            tx_settings: Some(TransactionSettings { tx_mode: Some(mode) }),
        };
        let answer = transported(self.calls.clone().begin_transaction(request).await)?;
        accepted(answer.status, &answer.issues)?;
        Ok(answer.tx_meta.unwrap().id)
    }

    pub(crate) async fn commit(&self, tx: &str) -> Answer<()> {
        let request = CommitTransactionRequest { session_id: self.id.clone(), tx_id: tx.to_owned() };
        let answer = transported(self.calls.clone().commit_transaction(request).await)?;
        accepted(answer.status, &answer.issues)
    }

    pub(crate) async fn roll_back(&self, tx: &str) -> Answer<()> {
        let request = RollbackTransactionRequest { session_id: self.id.clone(), tx_id: tx.to_owned() };
        let answer = transported(self.calls.clone().rollback_transaction(request).await)?;
        accepted(answer.status, &answer.issues)
    }
}

impl Done {
    /// The first result set, cell by cell, as text.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let cell = |value: &Value| match &value.value {
            Some(Simple::NullFlagValue(_)) => "NULL".to_owned(),
            Some(Simple::TextValue(text)) => text.clone(),
            Some(Simple::BytesValue(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Some(Simple::Int64Value(number)) => number.to_string(),
            Some(Simple::Int32Value(number)) => number.to_string(),
            Some(Simple::Uint64Value(number)) => number.to_string(),
            Some(Simple::BoolValue(value)) => value.to_string(),
            other => format!("{other:?}"),
        };
        let set = self.sets.first().expect("a result set");
        set.rows.iter().map(|row| row.items.iter().map(cell).collect()).collect()
    }
}

fn transported<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Answer<T> {
    answer.map(tonic::Response::into_inner).map_err(|status| Refused {
        status: StatusCode::Unspecified,
        transport: Some(status.code()),
        issues: Vec::new(),
        message: status.message().to_owned(),
    })
}

pub(crate) fn accepted(status: i32, issues: &[IssueMessage]) -> Answer<()> {
    let status = StatusCode::try_from(status).unwrap();
    if status == StatusCode::Success {
        return Ok(());
    }
    let mut codes = Vec::new();
    let mut message = String::new();
    collect(issues, &mut codes, &mut message);
    Err(Refused { status, transport: None, issues: codes, message })
}

fn collect(issues: &[IssueMessage], codes: &mut Vec<u32>, message: &mut String) {
    for issue in issues {
        codes.push(issue.issue_code);
        message.push_str(&issue.message);
        message.push(' ');
        collect(&issue.issues, codes, message);
    }
}

pub(crate) fn serializable() -> TxMode {
    TxMode::SerializableReadWrite(SerializableModeSettings {})
}

fn control(mode: TxMode, commit_tx: bool) -> TransactionControl {
    let settings = TransactionSettings { tx_mode: Some(mode) };
    TransactionControl { commit_tx, tx_selector: Some(TxSelector::BeginTx(settings)) }
}

pub(crate) fn simple(kind: PrimitiveTypeId) -> Type {
    Type { r#type: Some(Kind::TypeId(kind as i32)) }
}

fn value(kind: PrimitiveTypeId, value: Simple) -> TypedValue {
    TypedValue { r#type: Some(simple(kind)), value: Some(Value { value: Some(value), ..Default::default() }) }
}

pub(crate) fn text(text: &str) -> TypedValue {
    value(PrimitiveTypeId::Utf8, Simple::TextValue(text.to_owned()))
}

pub(crate) fn number(number: i64) -> TypedValue {
    value(PrimitiveTypeId::Int64, Simple::Int64Value(number))
}

/// A UUID by the first eight of its bytes, as they are kept.
pub(crate) fn uuid(low: u64) -> TypedValue {
    value(PrimitiveTypeId::Uuid, Simple::Low128(low))
}

pub(crate) fn count(count: u64) -> TypedValue {
    value(PrimitiveTypeId::Uint64, Simple::Uint64Value(count))
}

/// `Optional` around a value, or around nothing.
pub(crate) fn optional(of: TypedValue, present: bool) -> TypedValue {
    let item = of.r#type.map(Box::new);
    let optional = ydb_grpc::ydb_proto::OptionalType { item };
    let null = Value { value: Some(Simple::NullFlagValue(0)), ..Default::default() };
    TypedValue {
        r#type: Some(Type { r#type: Some(Kind::OptionalType(Box::new(optional))) }),
        value: if present { of.value } else { Some(null) },
    }
}

pub(crate) fn list(of: Type, items: Vec<TypedValue>) -> TypedValue {
    let items = items.into_iter().filter_map(|item| item.value).collect();
    let list = ydb_grpc::ydb_proto::ListType { item: Some(Box::new(of)) };
    TypedValue {
        r#type: Some(Type { r#type: Some(Kind::ListType(Box::new(list))) }),
        value: Some(Value { items, ..Default::default() }),
    }
}

/// A struct; its fields in the order of their names.
pub(crate) fn record(fields: &[(&str, TypedValue)]) -> TypedValue {
    let mut fields = fields.to_vec();
    fields.sort_by_key(|(name, _)| (*name).to_owned());
    let member = |(name, value): &(&str, TypedValue)| ydb_grpc::ydb_proto::StructMember {
        name: (*name).to_owned(),
        r#type: value.r#type.clone(),
    };
    let members = fields.iter().map(member).collect();
    TypedValue {
        r#type: Some(Type { r#type: Some(Kind::StructType(ydb_grpc::ydb_proto::StructType { members })) }),
        value: Some(Value {
            items: fields.iter().filter_map(|(_, value)| value.value.clone()).collect(),
            ..Default::default()
        }),
    }
}
