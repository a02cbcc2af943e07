package dev.sund.doctor.filter;

/** What a packet must be like. The order of parts is the order in which they are asked. */
sealed interface Condition {
  /** How two numbers are compared, without sign. */
  enum Relation {
    EQUAL,
    GREATER,
    AT_LEAST
  }

  /** Always, or never. */
  record Always(boolean holds) implements Condition {}

  /** Both; the second is asked when the first holds. */
  record Both(Condition first, Condition second) implements Condition {}

  /** One of them; the second is asked when the first does not hold. */
  record Either(Condition first, Condition second) implements Condition {}

  /** The opposite. */
  record Not(Condition condition) implements Condition {}

  /** A comparison. */
  record Compare(Value left, Relation relation, Value right) implements Condition {}

  /** Equal to a constant. */
  static Condition equal(Value value, int constant) {
    return new Compare(value, Relation.EQUAL, new Value.Constant(constant));
  }

  /** At least a constant. */
  static Condition atLeast(Value value, int constant) {
    return new Compare(value, Relation.AT_LEAST, new Value.Constant(constant));
  }

  /** At most a constant. */
  static Condition atMost(Value value, int constant) {
    return new Not(new Compare(value, Relation.GREATER, new Value.Constant(constant)));
  }

  /** This and then that. */
  default Condition and(Condition then) {
    return new Both(this, then);
  }

  /** This or else that. */
  default Condition or(Condition other) {
    return new Either(this, other);
  }
}
