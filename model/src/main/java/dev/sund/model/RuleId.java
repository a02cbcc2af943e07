package dev.sund.model;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The identity of the rule that made an entry of a packet program: an object of the cluster, which
 * of its directions and which of its rules. Its text travels into the kernel where there is room
 * (comment of a set element, ifalias) and comes back by {@link #parse}.
 *
 * <p>Text form: {@code KIND:NAME:UID:DIRECTION:INDEX}, such as {@code IPPool:default::none:0} or
 * {@code Pod:shop/web:6e2f...:none:0}. At most 250 bytes, since ifalias holds 255 and a set
 * element's comment 128; longer names are cut from the left of NAME by the writer, never the uid.
 *
 * @param object the object whose rule this is; kind {@code Builtin} for rules that no object states
 * @param uid the object's uid, empty when it has none
 * @param direction which direction of traffic the rule is about
 * @param index the rule's index in its object, from 0
 */
public record RuleId(ObjectRef object, String uid, Direction direction, int index)
    implements Comparable<RuleId> {

  /** The kind of containers whose network another plugin made: no object of a cluster. */
  public static final String CONTAINER = "Container";

  /** The most bytes of UTF-8 that a {@code char} takes. */
  private static final int MOST_BYTES = 3;

  /** The direction of traffic that a rule is about. */
  public enum Direction {
    NONE("none"),
    INGRESS("in"),
    EGRESS("out");

    private final String label;

    Direction(String label) {
      this.label = label;
    }

    /** {@code none}, {@code in} or {@code out}. */
    public String label() {
      return label;
    }
  }

  public RuleId {
    if (object.kind().indexOf(':') >= 0
        || object.name().indexOf(':') >= 0
        || uid.indexOf(':') >= 0) {
      throw new IllegalArgumentException("a rule id's parts hold no colon: " + object + " " + uid);
    }
    Checks.range("rule index", index, 0, 1 << 20);
  }

  /** The rule of an object that has just one. */
  public static RuleId of(String kind, String name, String uid) {
    return new RuleId(new ObjectRef(kind, name), uid, Direction.NONE, 0);
  }

  /** A rule that no object states. */
  public static RuleId builtin(String name) {
    return of("Builtin", name, "");
  }

  /**
   * Parses the text form.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static RuleId parse(String text) {
    String[] parts = text.split(":", -1);
    if (parts.length == 5 && parts[4].matches("[0-9]{1,6}")) {
      for (Direction direction : Direction.values()) {
        if (direction.label.equals(parts[3]) && !parts[0].isEmpty() && !parts[1].isEmpty()) {
          return new RuleId(
              new ObjectRef(parts[0], parts[1]), parts[2], direction, Integer.parseInt(parts[4]));
        }
      }
    }
    throw new IllegalArgumentException("'" + text + "' is not a rule id");
  }

  /**
   * The text form for a place that holds only so many bytes: NAME is cut from the left, all else
   * stays, so that the uid still says which object it is.
   *
   * @throws IllegalArgumentException when even without a name it has more bytes
   */
  public String textWithin(int bytes) {
    String text = toString();
    if (text.length() * MOST_BYTES <= bytes) { // as nearly all are: not encoded to know
      return text;
    }
    int tooMany = text.getBytes(StandardCharsets.UTF_8).length - bytes;
    if (tooMany <= 0) {
      return text;
    }
    String name = object.name();
    int cut = 0;
    while (tooMany > 0 && cut < name.length()) {
      int next = name.offsetByCodePoints(cut, 1);
      tooMany -= name.substring(cut, next).getBytes(StandardCharsets.UTF_8).length;
      cut = next;
    }
    Checks.that(
        tooMany <= 0 && cut < name.length(),
        "'" + text + "' does not fit into " + bytes + " bytes");
    return new RuleId(new ObjectRef(object.kind(), name.substring(cut)), uid, direction, index)
        .toString();
  }

  /** Written out, as that of {@link Ip}. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof RuleId rule
        && index == rule.index
        && direction == rule.direction
        && object.equals(rule.object)
        && uid.equals(rule.uid);
  }

  @Override
  public int hashCode() {
    return 31 * object.hashCode() + uid.hashCode();
  }

  @Override
  public int compareTo(RuleId other) {
    return toString().compareTo(other.toString());
  }

  /** The text form. */
  @Override
  public String toString() {
    return object.kind() + ":" + object.name() + ":" + uid + ":" + direction.label + ":" + index;
  }
}
