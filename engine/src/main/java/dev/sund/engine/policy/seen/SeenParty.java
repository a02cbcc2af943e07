package dev.sund.engine.policy.seen;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** An end of a connection that was seen. Each has a text that is read back. */
public sealed interface SeenParty {
  /**
   * Pods of one workload: {@code shop{app=web,tier=front}}.
   *
   * @param namespace theirs
   * @param labels what all of them have, without those that pass
   */
  record Pods(String namespace, SortedMap<String, String> labels) implements SeenParty {
    public Pods {
      Checks.notEmpty("namespace", namespace);
      labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(namespace).append('{');
      labels.forEach((key, value) -> {
        text.append(text.charAt(text.length() - 1) == '{' ? "" : ",");
        text.append(key).append('=').append(value);
      });
      return text.append('}').toString();
    }
  }

  /**
   * Addresses that are no pod's: {@code 203.0.113.9} or {@code 203.0.113.0/24}.
   *
   * @param prefix all of them were seen, or so many that it stands for them
   */
  record Range(Prefix prefix) implements SeenParty {
    @Override
    public String toString() {
      return prefix.isHost() ? prefix.address().toString() : prefix.toString();
    }
  }

  /**
   * The node that the pod at the other end is on: {@code node}. What is born there always passes.
   */
  record OwnNode() implements SeenParty {
    /** How it is written. */
    static final String TEXT = "node";

    @Override
    public String toString() {
      return TEXT;
    }
  }

  /**
   * As people write it: {@code NAMESPACE/POD} or {@code KIND NAMESPACE/NAME}.
   *
   * @param name the text
   */
  record Named(String name) implements SeenParty {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Reads the text of one; what looks like nothing else is a name. */
  static SeenParty parse(String text) {
    if (text.equals(OwnNode.TEXT)) {
      return new OwnNode();
    }
    Optional<Ip> address = Ip.tryParse(text);
    if (address.isPresent()) {
      return new Range(Prefix.host(address.get()));
    }
    Optional<Prefix> prefix = Prefix.tryParse(text);
    if (prefix.isPresent()) {
      return new Range(prefix.get());
    }
    int open = text.indexOf('{');
    if (open > 0 && text.endsWith("}")) {
      Optional<Map<String, String>> labels = labels(text.substring(open + 1, text.length() - 1));
      if (labels.isPresent()) {
        return new Pods(text.substring(0, open), new TreeMap<>(labels.get()));
      }
    }
    return new Named(text);
  }

  private static Optional<Map<String, String>> labels(String text) {
    Map<String, String> labels = new TreeMap<>();
    for (String one : text.isEmpty() ? new String[0] : text.split(",", -1)) {
      int equals = one.indexOf('=');
      if (equals <= 0) {
        return Optional.empty();
      }
      labels.put(one.substring(0, equals), one.substring(equals + 1));
    }
    return Optional.of(labels);
  }
}
