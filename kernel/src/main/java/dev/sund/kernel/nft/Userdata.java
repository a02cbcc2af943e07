package dev.sund.kernel.nft;

import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Checks;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What user space keeps beside an nf_tables object and the kernel hands back untouched: a list of
 * type, length, value, one byte each for type and length.
 *
 * <p>The {@code nft} program stores comments here (type 0, for sets type 7, a zero-terminated
 * string) and, for sets, how keys are to be printed. Numbers are in the byte order of the machine.
 *
 * @param entries in ascending order of their types, as {@code nft} writes them
 */
public record Userdata(List<Entry> entries) {
  /** Nothing. */
  public static final Userdata NONE = new Userdata(List.of());

  /** The most bytes that the kernel keeps (NFT_USERDATA_MAXLEN). */
  public static final int MAX_BYTES = 256;

  /**
   * The longest comment in bytes of UTF-8: {@code nft} 1.0.6 keeps 128 bytes, one of which is the
   * terminating zero.
   */
  public static final int MAX_COMMENT_BYTES = 127;

  static final int COMMENT = 0;
  static final int ELEMENT_FLAGS = 1;
  static final int SET_KEY_BYTE_ORDER = 0;
  static final int SET_DATA_BYTE_ORDER = 1;
  static final int SET_MERGE_ELEMENTS = 2;
  static final int SET_COMMENT = 7;

  /** The flag by which {@code nft} knows an interval that reaches the end of the key's range. */
  static final int ELEMENT_INTERVAL_OPEN = 1;

  /**
   * One entry.
   *
   * @param type 0 to 255, its meaning depends on the kind of object
   * @param value at most 255 bytes
   */
  public record Entry(int type, Bytes value) {
    public Entry {
      Checks.range("type", type, 0, 255);
      Checks.range("length of a userdata entry", value.length(), 0, 255);
    }
  }

  public Userdata {
    entries =
        entries.size() < 2
            ? List.copyOf(entries)
            : entries.stream().sorted(Comparator.comparingInt(Entry::type)).toList();
  }

  /**
   * A comment as {@code nft} keeps it on tables, chains, rules and elements; nothing for the empty
   * text.
   *
   * @throws IllegalArgumentException when it has more than {@link #MAX_COMMENT_BYTES}
   */
  public static Userdata comment(String text) {
    return text.isEmpty() ? NONE : new Userdata(List.of(text(COMMENT, text)));
  }

  /** The comment of a table, chain, rule or element, empty when there is none. */
  public String comment() {
    return text(COMMENT);
  }

  /** The comment of a set, empty when there is none. */
  public String setComment() {
    return text(SET_COMMENT);
  }

  /** The 32-bit number of this type, in the machine's byte order. */
  public Optional<Integer> number(int type) {
    return find(type)
        .filter(value -> value.length() == 4)
        .map(value -> {
          int big = (value.at(0) << 24) | (value.at(1) << 16) | (value.at(2) << 8) | value.at(3);
          return Bytes.host32(big).equals(Bytes.u32(big)) ? big : Integer.reverseBytes(big);
        });
  }

  /** This, with one more entry that holds a 32-bit number. */
  public Userdata withNumber(int type, int value) {
    return with(new Entry(type, Bytes.host32(value)));
  }

  /** This, with one more entry that holds a zero-terminated text; unchanged for the empty text. */
  public Userdata withText(int type, String text) {
    return text.isEmpty() ? this : with(text(type, text));
  }

  /** Writes the bytes for the kernel. */
  void writeTo(NlWriter out) {
    int length = 0;
    for (Entry entry : entries) {
      length += 2 + entry.value.length();
      out.putU8(entry.type).putU8(entry.value.length());
      entry.value.writeTo(out);
    }
    Checks.range("length of userdata", length, 0, MAX_BYTES);
  }

  /** Reads the kernel's bytes; what is cut short is left out, for other programs write here too. */
  static Userdata decode(Bytes raw) {
    List<Entry> entries = new ArrayList<>();
    int position = 0;
    while (position + 2 <= raw.length()) {
      int end = position + 2 + raw.at(position + 1);
      if (end > raw.length()) {
        break;
      }
      entries.add(new Entry(raw.at(position), raw.slice(position + 2, end)));
      position = end;
    }
    return entries.isEmpty() ? NONE : new Userdata(entries);
  }

  private Userdata with(Entry entry) {
    List<Entry> more = new ArrayList<>(entries);
    more.add(entry);
    return new Userdata(more);
  }

  private Optional<Bytes> find(int type) {
    return entries.stream().filter(entry -> entry.type == type).map(Entry::value).findFirst();
  }

  private String text(int type) {
    return find(type)
        .map(value -> {
          byte[] bytes = value.toArray();
          int end = 0;
          while (end < bytes.length && bytes[end] != 0) {
            end++;
          }
          return new String(bytes, 0, end, StandardCharsets.UTF_8);
        })
        .orElse("");
  }

  private static Entry text(int type, String text) {
    Bytes bytes = Bytes.terminated(text);
    if (bytes.length() > MAX_COMMENT_BYTES + 1) { // said only then: there is one for each element
      Checks.range(
          "length of the comment '" + text + "' in bytes",
          bytes.length() - 1,
          0,
          MAX_COMMENT_BYTES);
    }
    Checks.that(text.indexOf('\0') < 0, "a comment holds no zero byte");
    return new Entry(type, bytes);
  }
}
