package dev.sund.kube.claims;

import dev.sund.engine.ipam.Block;
import dev.sund.engine.ipam.ClaimStore;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.tree.Tree;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The claims as the API server keeps them. Every read names no resourceVersion, which means the
 * latest; every write names the one that was read, or creates.
 *
 * <p>A refusal for want of permission, or of the kind itself, is told as a store without answer: to
 * the allocator it is the same, and its text says what to apply.
 */
public final class ApiClaims implements ClaimStore {
  private static final ApiPath NODES = ApiPath.of("v1", "nodes");

  private final ApiObjects objects;

  /** The claims behind this connection. */
  public ApiClaims(ApiObjects objects) {
    this.objects = objects;
  }

  @Override
  public List<Block> list() throws StoreException {
    try {
      List<Block> blocks = new ArrayList<>();
      for (Tree.Mapping object : objects.list(AddressBlocks.PATH.all())) {
        blocks.add(block(object));
      }
      return blocks;
    } catch (IOException e) {
      throw failure("list addressblocks", e);
    }
  }

  @Override
  public Optional<Block> read(Prefix cidr) throws StoreException {
    String name = AddressBlocks.name(cidr);
    try {
      Optional<Tree.Mapping> object = objects.read(AddressBlocks.PATH.named(name));
      return object.isPresent() ? Optional.of(block(object.get())) : Optional.empty();
    } catch (IOException e) {
      throw failure("get addressblock " + name, e);
    }
  }

  @Override
  public Optional<Block> write(Block block) throws StoreException {
    String name = AddressBlocks.name(block.cidr());
    boolean create = block.version().isEmpty();
    Tree.Mapping object = AddressBlocks.write(block);
    try {
      return Optional.of(
          block(
              create
                  ? objects.create(AddressBlocks.PATH.all(), object)
                  : objects.replace(AddressBlocks.PATH.named(name), object)));
    } catch (ApiRefusal e) {
      boolean changed = create ? e.alreadyExists() : e.isConflict() || e.isNotFound();
      if (changed) {
        return Optional.empty();
      }
      throw failure((create ? "create" : "replace") + " addressblock " + name, e);
    } catch (IOException e) {
      throw failure((create ? "create" : "replace") + " addressblock " + name, e);
    }
  }

  @Override
  public Set<NodeName> nodes() throws StoreException {
    try {
      Set<NodeName> names = new TreeSet<>();
      for (Tree.Mapping node : objects.list(NODES.all())) {
        node.mapping("metadata")
            .flatMap(meta -> meta.text("name"))
            .ifPresent(name -> names.add(new NodeName(name)));
      }
      return names;
    } catch (IOException e) {
      throw failure("list nodes", e);
    }
  }

  /** A block that cannot be read may be anybody's: nothing is claimed before it is mended. */
  private static Block block(Tree.Mapping object) throws StoreException {
    try {
      return AddressBlocks.read(object);
    } catch (IllegalArgumentException e) {
      String name = object.mapping("metadata").flatMap(meta -> meta.text("name")).orElse("?");
      throw new StoreException(
          "AddressBlock " + name + " cannot be used: " + e.getMessage() + "; mend or delete it");
    }
  }

  private static StoreException failure(String what, IOException e) {
    if (e instanceof ApiRefusal refusal && refusal.isNotFound()) {
      return new StoreException(
          what + ": the API server has no such kind; apply deploy/crds/addressblocks.yaml");
    }
    if (e instanceof ApiRefusal refusal && refusal.isForbidden()) {
      return new StoreException(what + ": " + e.getMessage() + "; apply deploy/rbac.yaml");
    }
    String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return new StoreException(what + ": " + why);
  }
}
