mod drift;
mod emergency;
mod life;
mod lookups;
mod order;
mod saved;
mod world;
