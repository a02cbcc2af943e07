package dev.sund.kernel.xtables;

import dev.sund.model.Family;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * A table, {@code filter} or another, as it was when it was read, or as it is to be: rules one
 * after another, each chain ending with its policy or its return. Never changed; {@link #with} and
 * {@link #without} make another.
 */
public final class FilterTable {
  /** By the hooks' numbers. */
  private static final List<String> HOOK_NAMES =
      List.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

  /** Of a rule that was not in the table that was read. */
  static final int NEW = -1;

  /** A rule's bytes, and its place in the table that was read. */
  private record Entry(byte[] bytes, int number) {}

  /**
   * A rule that accepts what comes in, or goes out, by a device.
   *
   * @param in whether it is about the device that a packet comes in by
   * @param prefix how the device's name begins, at most 15 characters
   * @param comment by which it is known, at most 255 characters
   */
  public record Accept(boolean in, String prefix, String comment) {}

  private final Family family;
  private final XtLayout layout;
  private final int validHooks;
  private final int[] hookEntry;
  private final int[] underflow;
  private final List<Entry> entries;
  private final int[] offsets;

  private FilterTable(
      Family family, int validHooks, int[] hookEntry, int[] underflow, List<Entry> entries) {
    this.family = family;
    this.layout = XtLayout.of(family);
    this.validHooks = validHooks;
    this.hookEntry = hookEntry;
    this.underflow = underflow;
    this.entries = entries;
    this.offsets = new int[entries.size() + 1];
    for (int i = 0; i < entries.size(); i++) {
      offsets[i + 1] = offsets[i] + entries.get(i).bytes().length;
    }
  }

  /**
   * A table of what the kernel gave.
   *
   * @throws IllegalArgumentException when it is not whole
   */
  static FilterTable read(
      Family family, int validHooks, int[] hookEntry, int[] underflow, byte[] bytes) {
    XtLayout layout = XtLayout.of(family);
    List<Entry> entries = new ArrayList<>();
    ByteBuffer all = ordered(bytes);
    for (int at = 0; at < bytes.length; ) {
      int length =
          bytes.length - at < layout.entry()
              ? 0
              : Short.toUnsignedInt(all.getShort(at + layout.targetOffset() + 2));
      if (length < layout.entry() + XtLayout.EXTENSION_HEAD || at + length > bytes.length) {
        throw new IllegalArgumentException("a rule at " + at + " has the length " + length);
      }
      entries.add(new Entry(Arrays.copyOfRange(bytes, at, at + length), entries.size()));
      at += length;
    }
    return new FilterTable(family, validHooks, hookEntry, underflow, entries);
  }

  private static ByteBuffer ordered(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  /** Of whose packets it is. */
  public Family family() {
    return family;
  }

  /** Whether what is forwarded is dropped by policy. */
  public boolean dropsForwarded() {
    return (validHooks & (1 << XtLayout.HOOK_FORWARD)) != 0
        && verdict(entries.get(index(underflow[XtLayout.HOOK_FORWARD]))) == XtLayout.VERDICT_DROP;
  }

  /** Whether there is a chain of this name that somebody made. */
  public boolean hasChain(String name) {
    return head(name).isPresent();
  }

  /** How many rules have this comment. */
  public int count(String comment) {
    return (int) entries.stream().filter(entry -> isCommented(entry, comment)).count();
  }

  /**
   * Whether the chain begins with just these rules.
   *
   * @param chain one that somebody made; empty for FORWARD
   */
  public boolean begins(Optional<String> chain, List<Accept> rules) {
    int first = first(chain);
    for (int i = 0; i < rules.size(); i++) {
      if (first + i >= entries.size() || !same(entries.get(first + i), rules.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** The same without all rules that have this comment. */
  public FilterTable without(String comment) {
    return rebuilt(entry -> !isCommented(entry, comment), -1, List.of());
  }

  /**
   * The same with rules at the begin of a chain.
   *
   * @param chain one that somebody made; empty for FORWARD
   */
  public FilterTable with(Optional<String> chain, List<Accept> rules) {
    return rebuilt(_ -> true, first(chain), rules);
  }

  /** The chains that somebody made. */
  public SortedSet<String> chains() {
    SortedSet<String> chains = new TreeSet<>();
    for (Entry entry : entries) {
      chainHead(entry).ifPresent(chains::add);
    }
    return chains;
  }

  /** Of each chain that somebody made, the chains that its rules lead to. */
  public Map<String, Set<String>> jumps() {
    Map<String, Set<String>> jumps = new TreeMap<>();
    Optional<String> chain = Optional.empty();
    for (Entry entry : entries) {
      Optional<String> head = chainHead(entry);
      chain = head.isPresent() ? head : chain;
      if (chain.isPresent()) {
        Set<String> to = jumps.computeIfAbsent(chain.get(), _ -> new TreeSet<>());
        jump(entry).ifPresent(to::add);
      }
    }
    return jumps;
  }

  /** All chains with what their rules do, in the table's order. */
  public List<XtChain> listing() {
    List<XtChain> listing = new ArrayList<>();
    String name = "";
    OptionalInt hook = OptionalInt.empty();
    List<XtChain.Act> rules = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      for (int at = 0; at < XtLayout.HOOKS; at++) {
        if ((validHooks & (1 << at)) != 0 && index(hookEntry[at]) == i) {
          name = HOOK_NAMES.get(at);
          hook = OptionalInt.of(at);
        }
      }
      Optional<String> head = chainHead(entry);
      if (head.isPresent()) {
        name = head.get();
        hook = OptionalInt.empty();
      } else if (isLast(i)) {
        boolean drops =
            hook.isPresent() && isStandard(entry) && verdict(entry) == XtLayout.VERDICT_DROP;
        listing.add(new XtChain(name, hook, drops, rules));
        rules = new ArrayList<>();
      } else if (isRule(entry)) {
        rules.add(act(entry));
      }
    }
    return listing;
  }

  /** Of a chain the last entry, which has its policy or its return: the next one begins another. */
  private boolean isLast(int i) {
    if (!isRule(entries.get(i)) || i + 1 == entries.size()) {
      return false;
    }
    if (!isRule(entries.get(i + 1))) {
      return true;
    }
    for (int at = 0; at < XtLayout.HOOKS; at++) {
      if ((validHooks & (1 << at)) != 0 && index(hookEntry[at]) == i + 1) {
        return true;
      }
    }
    return false;
  }

  /** Not the head of a chain, and not the table's end. */
  private boolean isRule(Entry entry) {
    return !extensionName(entry, target(entry)).equals("ERROR");
  }

  private XtChain.Act act(Entry entry) {
    int target = target(entry);
    boolean all = target == layout.entry();
    for (int i = 0; i < layout.matching() && all; i++) {
      all = entry.bytes()[i] == 0;
    }
    String name = extensionName(entry, target);
    if (name.isEmpty()) {
      name =
          switch (verdict(entry)) {
            case XtLayout.VERDICT_ACCEPT -> "ACCEPT";
            case XtLayout.VERDICT_DROP -> "DROP";
            case XtLayout.VERDICT_RETURN -> "RETURN";
            default -> ""; // a jump
          };
    }
    return new XtChain.Act(all, jump(entry), name);
  }

  /**
   * The same without these chains, and without the rules that lead to them.
   *
   * @param gone chains that somebody made
   */
  public FilterTable withoutChains(Set<String> gone) {
    Set<Integer> removed = new HashSet<>();
    boolean inside = false;
    for (Entry entry : entries) {
      if (extensionName(entry, target(entry)).equals("ERROR")) {
        inside = chainHead(entry).filter(gone::contains).isPresent();
      }
      if (inside || jump(entry).filter(gone::contains).isPresent()) {
        removed.add(entry.number());
      }
    }
    return rebuilt(entry -> !removed.contains(entry.number()), -1, List.of());
  }

  /** The chain that begins with this entry; the last entry of a table begins none. */
  private Optional<String> chainHead(Entry entry) {
    int target = target(entry);
    if (!extensionName(entry, target).equals("ERROR")) {
      return Optional.empty();
    }
    String name = text(entry, target + XtLayout.EXTENSION_HEAD, XtLayout.NAME_BYTES - 2);
    return name.equals("ERROR") ? Optional.empty() : Optional.of(name);
  }

  /** The chain that a rule leads to. */
  private Optional<String> jump(Entry entry) {
    if (!isStandard(entry) || verdict(entry) < 0) {
      return Optional.empty();
    }
    int first = index(verdict(entry));
    return first == 0 ? Optional.empty() : chainHead(entries.get(first - 1));
  }

  /** The index of a chain's first rule. */
  private int first(Optional<String> chain) {
    return chain.isPresent()
        ? head(chain.get()).orElseThrow() + 1
        : index(hookEntry[XtLayout.HOOK_FORWARD]);
  }

  /** Chains that somebody made begin with an entry whose target, ERROR, holds their name. */
  private Optional<Integer> head(String name) {
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      int target = target(entry);
      if (extensionName(entry, target).equals("ERROR")
          && text(entry, target + XtLayout.EXTENSION_HEAD, XtLayout.NAME_BYTES - 2).equals(name)) {
        return Optional.of(i);
      }
    }
    return Optional.empty();
  }

  /**
   * A jump leads to where it led: to the first rule of a chain, new ones included, or to the rule
   * after, which of a removed rule is the next that stays. A policy stays the one that it was.
   */
  private FilterTable rebuilt(Predicate<Entry> stays, int place, List<Accept> fresh) {
    List<Entry> now = new ArrayList<>();
    int[] begins = new int[entries.size() + 1];
    int[] itself = new int[entries.size()];
    int at = 0;
    for (int i = 0; i < entries.size(); i++) {
      begins[i] = at;
      if (i == place) {
        for (Accept rule : fresh) {
          Entry made = new Entry(bytes(rule), NEW);
          now.add(made);
          at += made.bytes().length;
        }
      }
      itself[i] = at;
      if (stays.test(entries.get(i))) {
        now.add(entries.get(i));
        at += entries.get(i).bytes().length;
      }
    }
    begins[entries.size()] = at;
    int[] hooks = new int[XtLayout.HOOKS];
    int[] policies = new int[XtLayout.HOOKS];
    for (int hook = 0; hook < XtLayout.HOOKS; hook++) {
      if ((validHooks & (1 << hook)) != 0) {
        hooks[hook] = begins[index(hookEntry[hook])];
        policies[hook] = itself[index(underflow[hook])];
      }
    }
    List<Entry> linked =
        now.stream().map(entry -> entry.number() == NEW ? entry : linked(entry, begins)).toList();
    return new FilterTable(family, validHooks, hooks, policies, linked);
  }

  private Entry linked(Entry entry, int[] begins) {
    if (!isStandard(entry) || verdict(entry) < 0) {
      return entry;
    }
    byte[] bytes = entry.bytes().clone();
    ordered(bytes).putInt(target(entry) + XtLayout.EXTENSION_HEAD, begins[index(verdict(entry))]);
    return new Entry(bytes, entry.number());
  }

  private int index(int offset) {
    int index = Arrays.binarySearch(offsets, offset);
    if (index < 0) {
      throw new IllegalArgumentException("no rule begins at " + offset);
    }
    return index;
  }

  private int target(Entry entry) {
    return Short.toUnsignedInt(ordered(entry.bytes()).getShort(layout.targetOffset()));
  }

  private boolean isStandard(Entry entry) {
    return extensionName(entry, target(entry)).isEmpty();
  }

  private int verdict(Entry entry) {
    return ordered(entry.bytes()).getInt(target(entry) + XtLayout.EXTENSION_HEAD);
  }

  private static String extensionName(Entry entry, int at) {
    return text(entry, at + 2, XtLayout.EXTENSION_NAME_BYTES);
  }

  private static String text(Entry entry, int at, int most) {
    int end = at;
    while (end < at + most && end < entry.bytes().length && entry.bytes()[end] != 0) {
      end++;
    }
    return new String(entry.bytes(), at, end - at, StandardCharsets.ISO_8859_1);
  }

  private boolean isCommented(Entry entry, String comment) {
    ByteBuffer bytes = ordered(entry.bytes());
    for (int at = layout.entry(); at + XtLayout.EXTENSION_HEAD <= target(entry); ) {
      if (extensionName(entry, at).equals("comment")
          && text(entry, at + XtLayout.EXTENSION_HEAD, XtLayout.COMMENT_BYTES).equals(comment)) {
        return true;
      }
      int length = Short.toUnsignedInt(bytes.getShort(at));
      if (length < XtLayout.EXTENSION_HEAD) {
        return false;
      }
      at += length;
    }
    return false;
  }

  private boolean same(Entry entry, Accept rule) {
    return isCommented(entry, rule.comment())
        && isStandard(entry)
        && verdict(entry) == XtLayout.VERDICT_ACCEPT
        && Arrays.equals(entry.bytes(), 0, layout.matching(), bytes(rule), 0, layout.matching());
  }

  private byte[] bytes(Accept rule) {
    int match = layout.entry();
    int target = match + XtLayout.EXTENSION_HEAD + XtLayout.COMMENT_BYTES;
    byte[] bytes = new byte[target + XtLayout.STANDARD_TARGET_BYTES];
    byte[] device = rule.prefix().getBytes(StandardCharsets.US_ASCII);
    int name = layout.in() + (rule.in() ? 0 : XtLayout.DEVICE_BYTES);
    System.arraycopy(device, 0, bytes, name, device.length);
    int mask = name + 2 * XtLayout.DEVICE_BYTES;
    Arrays.fill(bytes, mask, mask + device.length, (byte) 0xff);
    ByteBuffer out = ordered(bytes);
    out.putShort(layout.targetOffset(), (short) target);
    out.putShort(layout.targetOffset() + 2, (short) bytes.length);
    extension(out, match, target - match, "comment");
    byte[] comment = rule.comment().getBytes(StandardCharsets.US_ASCII);
    out.put(match + XtLayout.EXTENSION_HEAD, comment);
    extension(out, target, XtLayout.STANDARD_TARGET_BYTES, "");
    out.putInt(target + XtLayout.EXTENSION_HEAD, XtLayout.VERDICT_ACCEPT);
    return bytes;
  }

  private static void extension(ByteBuffer out, int at, int length, String name) {
    out.putShort(at, (short) length);
    out.put(at + 2, name.getBytes(StandardCharsets.US_ASCII));
  }

  // What a replacement is made of.

  int validHooks() {
    return validHooks;
  }

  int[] hookEntry() {
    return hookEntry;
  }

  int[] underflow() {
    return underflow;
  }

  int numEntries() {
    return entries.size();
  }

  byte[] bytes() {
    ByteBuffer all = ByteBuffer.allocate(offsets[entries.size()]);
    entries.forEach(entry -> all.put(entry.bytes()));
    return all.array();
  }

  /** Of each rule its place in the table that was read, or {@link #NEW}. */
  int[] numbers() {
    return entries.stream().mapToInt(Entry::number).toArray();
  }
}
