package dev.sund.fuzz;

import com.fasterxml.jackson.core.JsonParser;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.object.ClusterNetworkPolicyParser;
import dev.sund.kube.object.NetworkPolicyParser;
import dev.sund.kube.object.Parsed;
import dev.sund.kube.object.Problem;
import dev.sund.kube.tree.DocumentSink;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Whatever a policy says: a policy and problems, never an exception; one with a name is never left
 * out, since that would open what it closes; and the same text as JSON means the same.
 */
public final class PolicyTarget {
  private PolicyTarget() {}

  /** Reads these bytes as YAML, each document as a policy of either kind. */
  public static void fuzzerTestOneInput(byte[] data) {
    try {
      YamlTrees.read(
          new String(data, StandardCharsets.UTF_8),
          new DocumentSink() {
            @Override
            public void item(Tree item) {
              // lists of policies are read as their elements are
            }

            @Override
            public void document(Tree document) {
              if (document instanceof Tree.Mapping object) {
                check(object);
              }
            }
          });
    } catch (MalformedException _) {
      // told as such, and nothing is read
    }
  }

  private static void check(Tree.Mapping object) {
    for (String kind : new String[] {Policy.NETWORK_POLICY, Policy.CLUSTER_NETWORK_POLICY}) {
      Parsed<Policy> read = parse(kind, object);
      for (Problem problem : read.problems()) {
        Claim.check(!problem.condition().remedy().isEmpty(), "a problem says what to do");
        Claim.check(problem.condition().toString().indexOf('\n') < 0, "it is one line");
      }
      Claim.check(read.value().isPresent(), "a policy with a name is in force");
      Claim.check(
          read.value().equals(parse(kind, fromJson(object)).value()), "as JSON it is the same");
    }
  }

  private static Parsed<Policy> parse(String kind, Tree.Mapping object) {
    return kind.equals(Policy.NETWORK_POLICY)
        ? NetworkPolicyParser.parse(new ObjectRef(kind, "shop/p"), object)
        : ClusterNetworkPolicyParser.parse(new ObjectRef(kind, "p"), object);
  }

  private static Tree.Mapping fromJson(Tree.Mapping object) {
    String json = JsonText.of(object);
    try (JsonParser parser = JsonTrees.factory().createParser(json)) {
      parser.nextToken();
      return (Tree.Mapping) JsonTrees.value(parser, Shape.ANY);
    } catch (IOException e) {
      throw new AssertionError(json, e);
    }
  }
}
