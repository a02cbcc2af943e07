package dev.sund.kernel.nft;

import dev.sund.model.Checks;
import java.util.ArrayList;
import java.util.List;

/**
 * The type of a set's key or of a map's value: one datatype of {@code nft}, or several one behind
 * the other, each filled up to 4 bytes.
 *
 * <p>The kernel looks at lengths alone; the numbers are kept for {@code nft}, which packs six bits
 * a field into one number.
 *
 * @param fields at least one, at most five (six bits each in 32)
 */
public record NftType(List<Field> fields) {
  /** The number that stands for a verdict (NFT_DATA_VERDICT). */
  static final int VERDICT_NUMBER = 0xffffff00;

  private static final int FIELD_BITS = 6;

  /**
   * A datatype of {@code nft}.
   *
   * @param name as {@code nft} writes it
   * @param number its number in {@code nft}
   * @param length in bytes, before filling up
   * @param hostOrder whether values are in the byte order of the machine, else in network order
   */
  public record Field(String name, int number, int length, boolean hostOrder) {
    /** {@code length} filled up to a multiple of 4. */
    public int padded() {
      return (length + 3) & ~3;
    }
  }

  public static final Field IPV4_ADDR = new Field("ipv4_addr", 7, 4, false);
  public static final Field IPV6_ADDR = new Field("ipv6_addr", 8, 16, false);
  public static final Field ETHER_ADDR = new Field("ether_addr", 9, 6, false);
  public static final Field ETHER_TYPE = new Field("ether_type", 10, 2, false);
  public static final Field INET_PROTO = new Field("inet_proto", 12, 1, false);
  public static final Field INET_SERVICE = new Field("inet_service", 13, 2, false);
  public static final Field MARK = new Field("mark", 19, 4, true);
  public static final Field CLASSID = new Field("classid", 23, 4, true);
  public static final Field IFACE_INDEX = new Field("iface_index", 20, 4, true);
  public static final Field DEVGROUP = new Field("devgroup", 35, 4, true);
  public static final Field IFNAME = new Field("ifname", 41, 16, true);

  /** A verdict, as the value of a map. */
  public static final NftType VERDICT =
      new NftType(List.of(new Field("verdict", VERDICT_NUMBER, 0, true)));

  private static final List<Field> KNOWN =
      List.of(
          IPV4_ADDR,
          IPV6_ADDR,
          ETHER_ADDR,
          ETHER_TYPE,
          INET_PROTO,
          INET_SERVICE,
          MARK,
          CLASSID,
          IFACE_INDEX,
          DEVGROUP,
          IFNAME);

  public NftType {
    Checks.range("number of fields", fields.size(), 1, 5);
    fields = List.copyOf(fields);
  }

  /** These fields, one behind the other. */
  public static NftType of(Field... fields) {
    return new NftType(List.of(fields));
  }

  /** The number that {@code nft} keeps in the kernel. */
  public int number() {
    int number = 0;
    for (Field field : fields) {
      number = (number << FIELD_BITS) | field.number;
    }
    return number;
  }

  /** The length in bytes: of one field as it is, of several filled up. */
  public int length() {
    return fields.size() == 1
        ? fields.getFirst().length
        : fields.stream().mapToInt(Field::padded).sum();
  }

  /** Whether several fields stand one behind the other. */
  public boolean isConcatenation() {
    return fields.size() > 1;
  }

  /** Whether this is the type of a verdict map's values. */
  public boolean isVerdict() {
    return fields.getFirst().number == VERDICT_NUMBER;
  }

  /**
   * {@code nft}'s number for the byte order: 0 for several fields and verdicts, 1 host, 2 network.
   * With a 1 for verdicts, {@code nft list} 1.0.6 aborts on an assertion.
   */
  int byteOrder() {
    return isConcatenation() || isVerdict() ? 0 : fields.getFirst().hostOrder ? 1 : 2;
  }

  /** Reads a type back from its number and length; fields that are not known keep their number. */
  static NftType of(int number, int length) {
    if (number == VERDICT_NUMBER) {
      return VERDICT;
    }
    List<Field> fields = new ArrayList<>();
    int rest = number;
    do {
      fields.addFirst(field(rest & ((1 << FIELD_BITS) - 1), length));
      rest >>>= FIELD_BITS;
    } while (rest != 0 && fields.size() < 5);
    NftType type = new NftType(fields);
    boolean fits = rest == 0 && (type.length() == length || fields.size() == 1);
    if (fits && type.length() == length) {
      return type;
    }
    return new NftType(List.of(new Field("type " + number, number, length, false)));
  }

  private static Field field(int number, int length) {
    for (Field field : KNOWN) {
      if (field.number == number) {
        return field;
      }
    }
    return new Field("type " + number, number, length, false);
  }

  /** As {@code nft} writes it: {@code ipv4_addr . inet_service}. */
  @Override
  public String toString() {
    return String.join(" . ", fields.stream().map(Field::name).toList());
  }
}
