package dev.sund.lab.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;

/** Objects for tests. */
final class Objects {
  private Objects() {}

  static Tree.Mapping json(String text) {
    try {
      return (Tree.Mapping) JsonTrees.parse(text.replace('\'', '"'));
    } catch (MalformedException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  static Tree.Mapping node(String name, String address) {
    return json(
        ("{'apiVersion':'v1','kind':'Node','metadata':{'name':'%s'},"
                + "'status':{'addresses':[{'type':'InternalIP','address':'%s'}]}}")
            .formatted(name, address));
  }

  static Tree.Mapping namespace(String name) {
    return json("{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'%s'}}".formatted(name));
  }

  static Tree.Mapping pod(String namespace, String name, String node, String ip) {
    return json(
        ("{'apiVersion':'v1','kind':'Pod','metadata':{'namespace':'%s','name':'%s',"
                + "'labels':{'app':'%s'}},"
                + "'spec':{'nodeName':'%s','containers':[{'ports':[{'containerPort':80}]}]},"
                + "'status':{'phase':'Running','podIP':'%s'}}")
            .formatted(namespace, name, name, node, ip));
  }

  static Tree.Mapping pool(String apiVersion, String name, String cidr, String mode) {
    return json(
        ("{'apiVersion':'%s','kind':'IPPool','metadata':{'name':'%s'},"
                + "'spec':{'cidr':'%s','vxlanMode':'%s'}}")
            .formatted(apiVersion, name, cidr, mode));
  }
}
