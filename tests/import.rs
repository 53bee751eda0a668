//! `capol import`: a tenant under code, whatever it holds, and the next plan empty.

mod everything;
mod interrupted;
mod tenants;
