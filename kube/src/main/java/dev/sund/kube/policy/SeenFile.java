package dev.sund.kube.policy;

import dev.sund.engine.policy.audit.SeenConnection;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A file of connections that were seen, in YAML or JSON.
 *
 * <pre>
 *   window: {from: "2026-11-01T00:00:00Z", until: "2026-11-08T00:00:00Z"}
 *   connections:
 *   - {from: Deployment shop/web, to: shop/db-0, protocol: tcp, port: 5432, times: 118}
 *   - {from: 203.0.113.9, to: Deployment shop/web, protocol: tcp, port: 8080}
 * </pre>
 *
 * @param from when somebody began to look; empty when the file does not say it
 * @param until when it ended
 * @param connections each once
 */
public record SeenFile(
    Optional<String> from, Optional<String> until, List<SeenConnection> connections) {
  private static final Set<String> FIELDS = Set.of("from", "to", "protocol", "port", "times");

  public SeenFile {
    connections = List.copyOf(connections);
  }

  /**
   * Reads a file's text.
   *
   * @throws MalformedException naming line, field and value
   */
  public static SeenFile parse(String text) throws MalformedException {
    Optional<String> from = Optional.empty();
    Optional<String> until = Optional.empty();
    Map<SeenConnection, Long> found = new LinkedHashMap<>();
    for (Tree document : YamlTrees.documents(text)) {
      if (!(document instanceof Tree.Mapping mapping)
          || !(mapping.get("connections").orElse(null) instanceof Tree.Sequence list)) {
        throw new MalformedException(
            document.line(), document.column(), "there is no list 'connections'");
      }
      Optional<Tree.Mapping> window = mapping.mapping("window");
      if (window.isPresent()) {
        from = window.get().text("from");
        until = window.get().text("until");
      }
      for (Tree item : list.items()) {
        SeenConnection seen = connection(item);
        SeenConnection once =
            new SeenConnection(seen.from(), seen.to(), seen.protocol(), seen.port(), 0);
        found.merge(once, seen.times(), Long::sum);
      }
    }
    List<SeenConnection> all = new ArrayList<>();
    found.forEach((one, times) ->
        all.add(new SeenConnection(one.from(), one.to(), one.protocol(), one.port(), times)));
    return new SeenFile(from, until, all);
  }

  private static SeenConnection connection(Tree item) throws MalformedException {
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
    long port = protocol == Protocol.ICMP ? 0 : number(mapping, "port", 65535);
    return new SeenConnection(
        needed(mapping, "from"),
        needed(mapping, "to"),
        protocol,
        (int) port,
        mapping.get("times").isPresent() ? number(mapping, "times", Integer.MAX_VALUE) : 1);
  }

  private static String needed(Tree.Mapping mapping, String field) throws MalformedException {
    Optional<String> text = mapping.text(field).filter(one -> !one.isBlank());
    if (text.isEmpty()) {
      throw failure(mapping, field + ": it is missing");
    }
    return text.get();
  }

  private static long number(Tree.Mapping mapping, String field, long most)
      throws MalformedException {
    String text = needed(mapping, field);
    try {
      long number = Long.parseLong(text);
      if (number >= 1 && number <= most) {
        return number;
      }
    } catch (NumberFormatException _) {
      // said below
    }
    throw failure(mapping, field + ": '" + text + "' is no number from 1 to " + most);
  }

  private static MalformedException failure(Tree at, String what) {
    return new MalformedException(at.line(), at.column(), what);
  }
}
