package dev.sund.kube.policy;

import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.engine.policy.seen.SeenLoss;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.Protocol;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A file of connections that were seen, in YAML or JSON, as people write it or as a recorder does.
 *
 * <pre>
 *   window: {from: "2026-11-01T00:00:00Z", until: "2026-11-08T00:00:00Z"}
 *   connections:
 *   - {from: Deployment shop/web, to: shop/db-0, protocol: tcp, port: 5432, times: 118}
 *   - {from: 203.0.113.9, to: "shop{app=web}", protocol: tcp, port: 8080}
 * </pre>
 *
 * <p>A recorder's has {@code version}, {@code node}, {@code windows} and {@code notSeen} too, and
 * of each connection the Service, both counts and when it was seen first and last.
 */
public final class SeenFile {
  /** The version of a recorder's file; a file without one is by people. */
  public static final int VERSION = 1;

  private static final Set<String> FIELDS =
      Set.of("from", "to", "protocol", "port", "times", "service", "out", "in", "first", "last");

  private SeenFile() {}

  /**
   * Reads a file's text.
   *
   * @throws MalformedException naming line, field and value
   */
  public static Recorded parse(String text) throws MalformedException {
    String node = "";
    List<Recorded.Window> windows = new ArrayList<>();
    Map<SeenLoss, Long> losses = new EnumMap<>(SeenLoss.class);
    List<String> notes = new ArrayList<>();
    long widened = 0;
    Map<SeenFlow.Key, SeenFlow> flows = new LinkedHashMap<>();
    for (Tree document : documents(text)) {
      if (!(document instanceof Tree.Mapping mapping)
          || !(mapping.get("connections").orElse(null) instanceof Tree.Sequence list)) {
        throw new MalformedException(
            document.line(), document.column(), "there is no list 'connections'");
      }
      Optional<String> version = mapping.text("version");
      if (version.isPresent() && !version.get().equals(String.valueOf(VERSION))) {
        throw failure(
            mapping,
            "version: '%s' is not %d, which is read here".formatted(version.get(), VERSION));
      }
      node = mapping.text("node").orElse(node);
      mapping.mapping("window").ifPresent(one -> windows.add(window(one)));
      if (mapping.get("windows").orElse(null) instanceof Tree.Sequence several) {
        for (Tree one : several.items()) {
          if (!(one instanceof Tree.Mapping window)) {
            throw failure(one, "a window is a mapping, not " + one.described());
          }
          windows.add(window(window));
        }
      }
      Tree.Mapping notSeen = mapping.mapping("notSeen").orElse(Tree.Mapping.of(Map.of()));
      for (String label : notSeen.fields().keySet()) {
        Optional<SeenLoss> loss = SeenLoss.of(label);
        if (loss.isPresent()) {
          losses.merge(loss.get(), number(notSeen, label, 0, Long.MAX_VALUE), Long::sum);
        }
      }
      widened += mapping.get("widened").isPresent() ? number(mapping, "widened", 0, 1 << 30) : 0;
      if (mapping.get("notes").orElse(null) instanceof Tree.Sequence said) {
        for (Tree note : said.items()) {
          if (note instanceof Tree.Scalar scalar) {
            notes.add(scalar.text());
          }
        }
      }
      for (Tree item : list.items()) {
        SeenFlow flow = flow(item);
        flows.merge(flow.key(), flow, SeenFlow::and);
      }
    }
    return new Recorded(node, windows, losses, widened, notes, List.copyOf(flows.values()));
  }

  /** What is JSON is read as such, which is quicker; YAML says more of where it cannot be read. */
  private static List<Tree> documents(String text) throws MalformedException {
    if (text.startsWith("{")) {
      try {
        return List.of(JsonTrees.parse(text));
      } catch (MalformedException _) {
        // a mapping as YAML writes it, perhaps
      }
    }
    return YamlTrees.documents(text);
  }

  private static Recorded.Window window(Tree.Mapping window) {
    return new Recorded.Window(window.text("from").orElse(""), window.text("until").orElse(""));
  }

  private static SeenFlow flow(Tree item) throws MalformedException {
    if (!(item instanceof Tree.Mapping mapping)) {
      throw failure(item, "a connection is a mapping, not " + item.described());
    }
    for (Map.Entry<String, Tree> field : mapping.fields().entrySet()) {
      if (!FIELDS.contains(field.getKey())) {
        throw failure(field.getValue(), "a connection has no field '" + field.getKey() + "'");
      }
    }
    Protocol protocol;
    String said = mapping.text("protocol").orElse("tcp").toLowerCase(Locale.ROOT);
    try {
      protocol = Protocol.parse(said);
    } catch (IllegalArgumentException _) {
      throw failure(item, "protocol: '" + said + "' is none of tcp, udp, sctp and icmp");
    }
    long port = protocol == Protocol.ICMP ? 0 : number(mapping, "port", 1, 65535);
    long times = mapping.get("times").isPresent() ? number(mapping, "times", 1, Long.MAX_VALUE) : 1;
    boolean counted = mapping.get("out").isPresent() || mapping.get("in").isPresent();
    return new SeenFlow(
        SeenParty.parse(needed(mapping, "from")),
        SeenParty.parse(needed(mapping, "to")),
        protocol,
        (int) port,
        mapping.text("service").orElse(""),
        counted ? number(mapping, "out", 0, Long.MAX_VALUE) : times,
        counted ? number(mapping, "in", 0, Long.MAX_VALUE) : 0,
        seconds(mapping, "first"),
        seconds(mapping, "last"));
  }

  private static long seconds(Tree.Mapping mapping, String field) throws MalformedException {
    Optional<String> text = mapping.text(field);
    try {
      return text.isEmpty() ? 0 : Instant.parse(text.get()).getEpochSecond();
    } catch (DateTimeParseException _) {
      throw failure(mapping, field + ": '" + text.get() + "' is no time as 2026-11-01T00:00:00Z");
    }
  }

  private static String needed(Tree.Mapping mapping, String field) throws MalformedException {
    Optional<String> text = mapping.text(field).filter(one -> !one.isBlank());
    if (text.isEmpty()) {
      throw failure(mapping, field + ": it is missing");
    }
    return text.get();
  }

  private static long number(Tree.Mapping mapping, String field, long least, long most)
      throws MalformedException {
    String text = needed(mapping, field);
    try {
      long number = Long.parseLong(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException _) {
      // said below
    }
    throw failure(
        mapping, "%s: '%s' is no number from %d to %d".formatted(field, text, least, most));
  }

  private static MalformedException failure(Tree at, String what) {
    return new MalformedException(at.line(), at.column(), what);
  }
}
