mod drift;
mod emergency;
mod life;
mod lookups;
mod order;
mod round_trips;
mod saved;
mod world;
