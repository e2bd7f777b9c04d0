// A set-up that cannot go on for a reason the user can do something about.

class SetupError extends Error {
  /** `remedy` says what to do next: a command to type where there is one. */
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

module.exports = { SetupError };
