//! The URL of a Redis: one server, a cluster, or a master that sentinels name. Deliberately absent: connecting.

use url::Host;
use zeroize::Zeroizing;

use crate::CacheError;

const DEFAULT_PORT: u16 = 6379;
const DEFAULT_SENTINEL_PORT: u16 = 26379;

/// A parsed URL.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Address {
    pub(crate) topology: Topology,
    pub(crate) tls: bool,
    /// At least one; exactly one for a single server.
    pub(crate) hosts: Vec<(String, u16)>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
    pub(crate) database: i64,
}

#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Topology {
    Single,
    Cluster,
    /// The hosts are sentinels; they name the master. Their own credentials are in the query.
    Sentinel {
        master: String,
        username: Option<String>,
        password: Option<Zeroizing<String>>,
    },
}

impl Address {
    /// Reads `redis[s][+cluster|+sentinel]://[user[:password]@]host[:port][,host[:port]…][/path][?query]`.
    ///
    /// The path is a database number; for sentinels it is the master's name and, after another `/`, the number.
    /// Query: `cluster=true`; for sentinels `sentinel_user`, `sentinel_password`. Anything else is refused, so that a
    /// misspelt option is not a silent one.
    pub(crate) fn parse(url: &str) -> Result<Self, CacheError> {
        let (scheme, rest) = url.split_once("://").ok_or(CacheError::Url("it has no scheme"))?;
        if rest.contains('#') {
            return Err(CacheError::Url("a fragment has no meaning here (certificates are always verified)"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (credentials, hosts),
            None => ("", authority),
        };
        let (protocol, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match protocol {
            "redis" => false,
            "rediss" => true,
            _ => return Err(CacheError::Url("the scheme is not redis, rediss, redis+cluster or redis+sentinel")),
        };
        let options = Query::parse(query)?;
        let (topology, path, port) = topology(kind, path, options)?;
        let hosts = hosts.split(',').map(|host| parse_host(host, port)).collect::<Result<Vec<_>, _>>()?;
        let (username, password) = parse_credentials(credentials)?;
        let database = match path {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or(CacheError::Url("the path is not a database number"))?,
        };
        let address = Self { topology, tls, hosts, username, password, database };
        address.verify()?;
        Ok(address)
    }

    fn verify(&self) -> Result<(), CacheError> {
        match self.topology {
            Topology::Single if self.hosts.len() > 1 => {
                Err(CacheError::Url("several hosts need redis+cluster:// or redis+sentinel://"))
            }
            Topology::Cluster if self.database != 0 => Err(CacheError::Url("a cluster has only database 0")),
            _ => Ok(()),
        }
    }
}

fn topology<'a>(kind: &str, path: &'a str, options: Query) -> Result<(Topology, &'a str, u16), CacheError> {
    let Query { cluster, sentinel_user, sentinel_password } = options;
    let for_sentinel = sentinel_user.is_some() || sentinel_password.is_some();
    match kind {
        "sentinel" => {
            if cluster.is_some() {
                return Err(CacheError::Url("cluster and sentinel exclude each other"));
            }
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            if master.is_empty() {
                return Err(CacheError::Url("the path must name the master that the sentinels watch"));
            }
            let topology = Topology::Sentinel {
                master: decode(master)?,
                username: sentinel_user,
                password: sentinel_password.map(Zeroizing::new),
            };
            Ok((topology, database, DEFAULT_SENTINEL_PORT))
        }
        _ if for_sentinel => Err(CacheError::Url("sentinel_user and sentinel_password need redis+sentinel://")),
        "cluster" if cluster != Some(false) => Ok((Topology::Cluster, path, DEFAULT_PORT)),
        "" if cluster == Some(true) => Ok((Topology::Cluster, path, DEFAULT_PORT)),
        "" => Ok((Topology::Single, path, DEFAULT_PORT)),
        _ => Err(CacheError::Url("after the + only cluster or sentinel is known")),
    }
}

#[derive(Default)]
struct Query {
    cluster: Option<bool>,
    sentinel_user: Option<String>,
    sentinel_password: Option<String>,
}

impl Query {
    fn parse(query: &str) -> Result<Self, CacheError> {
        let mut options = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "cluster" => {
                    options.cluster =
                        Some(value.parse().map_err(|_| CacheError::Url("cluster is neither true nor false"))?);
                }
                "sentinel_user" => options.sentinel_user = Some(value.into_owned()),
                "sentinel_password" => options.sentinel_password = Some(value.into_owned()),
                _ => return Err(CacheError::Url("unknown option after the ?")),
            }
        }
        Ok(options)
    }
}

fn parse_host(text: &str, default_port: u16) -> Result<(String, u16), CacheError> {
    const MALFORMED: CacheError = CacheError::Url("a host or port is malformed");
    let bracket = text.rfind(']').unwrap_or(0);
    let (host, port) = match text.rfind(':').filter(|colon| *colon > bracket) {
        Some(colon) => {
            let (host, port) = text.split_at(colon);
            (host, port.trim_start_matches(':').parse().map_err(|_| MALFORMED)?)
        }
        None => (text, default_port),
    };
    // Brackets come off: the client resolves the plain form of an IPv6 address.
    let host = match Host::parse(host).map_err(|_| MALFORMED)? {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    if port == 0 || host == "0.0.0.0" || host == "::" {
        return Err(MALFORMED);
    }
    Ok((host, port))
}

type Credentials = (Option<String>, Option<Zeroizing<String>>);

fn parse_credentials(text: &str) -> Result<Credentials, CacheError> {
    let (username, password) = text.split_once(':').unwrap_or((text, ""));
    let some = |text: String| (!text.is_empty()).then_some(text);
    Ok((some(decode(username)?), some(decode(password)?).map(Zeroizing::new)))
}

fn decode(text: &str) -> Result<String, CacheError> {
    const MALFORMED: CacheError = CacheError::Url("a percent-encoding is malformed");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (pair, tail) = rest.split_at_checked(2).ok_or(MALFORMED)?;
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+')).ok_or(MALFORMED)?;
        bytes.push(u8::from_str_radix(pair, 16).map_err(|_| MALFORMED)?);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Address {
        Address::parse(url).unwrap()
    }

    fn plain(topology: Topology, hosts: &[(&str, u16)]) -> Address {
        Address {
            topology,
            tls: false,
            hosts: hosts.iter().map(|(host, port)| ((*host).to_owned(), *port)).collect(),
            username: None,
            password: None,
            database: 0,
        }
    }

    #[test]
    fn a_single_server_with_user_password_and_database() {
        let address = parsed("rediss://app:p%40ss%3A%2F@cache.example:7000/3");
        assert!(address.tls);
        assert_eq!(address.topology, Topology::Single);
        assert_eq!(address.hosts, [("cache.example".to_owned(), 7000)]);
        assert_eq!(address.username.as_deref(), Some("app"));
        assert_eq!(address.password.unwrap().as_str(), "p@ss:/");
        assert_eq!(address.database, 3);
        assert_eq!(parsed("redis://localhost"), plain(Topology::Single, &[("localhost", 6379)]));
        assert_eq!(parsed("redis://[::1]:7/"), plain(Topology::Single, &[("::1", 7)]));
        assert_eq!(parsed("redis://:secret@h").password.unwrap().as_str(), "secret");
        assert_eq!(parsed("redis://app@h"), Address { username: Some("app".to_owned()), ..parsed("redis://h") });
        assert_eq!(parsed("redis://:p@ss@h").password.unwrap().as_str(), "p@ss", "the last @ is before the host");
        assert_eq!(parsed("redis://h/0?cluster=false"), parsed("redis://h"));
    }

    #[test]
    fn a_cluster_by_scheme_or_by_option() {
        let nodes = [("a", 7000), ("b", 6379), ("::1", 7002)];
        assert_eq!(parsed("redis+cluster://a:7000,b,[::1]:7002"), plain(Topology::Cluster, &nodes));
        let address = parsed("rediss://a:7000,b?cluster=true");
        assert_eq!((address.topology, address.tls, address.hosts.len()), (Topology::Cluster, true, 2));
    }

    #[test]
    fn a_master_that_sentinels_name() {
        let address = parsed("redis+sentinel://u:p@s1:26380,s2/my-master/2?sentinel_user=su&sentinel_password=s%26p");
        assert_eq!(address.hosts, [("s1".to_owned(), 26380), ("s2".to_owned(), 26379)]);
        assert_eq!(address.database, 2);
        assert_eq!(address.username.as_deref(), Some("u"));
        let Topology::Sentinel { master, username, password } = address.topology else {
            unreachable!("a sentinel url");
        };
        assert_eq!((master.as_str(), username.as_deref()), ("my-master", Some("su")));
        assert_eq!(password.unwrap().as_str(), "s&p");
    }

    #[test]
    fn a_malformed_url_is_refused_and_never_repeated_in_the_error() {
        for url in [
            "",
            "localhost:6379",
            "http://localhost",
            "redis://",
            "redis://user:hunter2@",
            "redis://h:port",
            "redis://h:0",
            "redis://h:70000",
            "redis://0.0.0.0:6379",
            "redis://[::]:6379",
            "redis://u:%+1@h",
            "redis://u:hunter2%4@h",
            "redis://u:%ff@h",
            "redis://a,b",
            "redis://h/one",
            "redis://h/-1",
            "redis://h:6379/0/1",
            "redis://h?cluster=yes",
            "redis://h?clutser=true",
            "redis+cluster://h?cluster=false",
            "redis+cluster://h/1",
            "redis+sentinel://s1,s2",
            "redis+sentinel://s1/master?cluster=true",
            "redis://h?sentinel_user=x",
            "redis+ring://h",
            "rediss://h#insecure",
            "redis://user:hunter2%zz@h",
            "redis://a b",
            "redis://h\r\n:6379",
        ] {
            let Err(error) = Address::parse(url) else { unreachable!("{url} was accepted") };
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
