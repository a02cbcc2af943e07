package dev.sund.engine.cluster;

import dev.sund.model.Prefix;
import java.util.List;

/**
 * A network of this node alone, with containers on a bridge, as far as the program has to do with
 * it.
 *
 * @param name the network's name
 * @param translated its subnets whose packets get the node's address when they leave; sorted
 */
public record BridgedNetwork(String name, List<Prefix> translated) {
  public BridgedNetwork {
    translated = translated.stream().sorted().distinct().toList();
  }
}
