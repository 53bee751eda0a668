//! A certificate for loopback, made anew at each start: clients that insist on TLS get it, and nothing is worth
//! stealing, because the keys never leave the process.

use std::sync::Arc;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

use super::SandboxError;

/// The names that the certificate is for.
const NAMES: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

/// What the server shows and what clients have to trust.
pub(super) struct Identity {
    /// Takes connections up.
    pub(super) acceptor: TlsAcceptor,
    /// The certificate of the authority, for `SSL_CERT_FILE` and its like.
    pub(super) authority_pem: String,
}

impl Identity {
    pub(super) fn new() -> Result<Self, SandboxError> {
        let failed = |cause: rcgen::Error| SandboxError::Certificate(Box::new(cause));
        let authority = CertifiedIssuer::self_signed(authority(), KeyPair::generate().map_err(failed)?)
            .map_err(failed)?;
        let key = KeyPair::generate().map_err(failed)?;
        let own = own()
            .and_then(|parameters| parameters.signed_by(&key, &authority))
            .map_err(failed)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![own.der().clone()], private)
            })
            .map_err(|cause| SandboxError::Certificate(Box::new(cause)))?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority_pem: authority.pem(),
        })
    }
}

fn authority() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "capol sandbox authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn own() -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(NAMES.map(str::to_owned))?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "capol sandbox");
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}
