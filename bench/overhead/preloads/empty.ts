// Loads nothing and does nothing: what any preload costs.
export {};
