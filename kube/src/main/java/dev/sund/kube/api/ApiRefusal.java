package dev.sund.kube.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;

/** The API server answered, but not what was asked: Kubernetes' {@code Status}. */
public final class ApiRefusal extends IOException {
  private static final long serialVersionUID = 1;

  private final int code;
  private final String reason;

  /**
   * A refusal.
   *
   * @param code the HTTP status code
   * @param reason Kubernetes' word for it, such as {@code Conflict}; empty when there is none
   * @param message what the server says about it
   */
  public ApiRefusal(int code, String reason, String message) {
    super(message);
    this.code = code;
    this.reason = reason;
  }

  /** The refusal that the body of an answer other than 200 means. */
  static ApiRefusal of(int code, String body) {
    try {
      if (JsonTrees.parse(body) instanceof Tree.Mapping status) {
        return of(status, code);
      }
    } catch (MalformedException _) {
      // Not a Status: a proxy's page, or the plain text of an unknown path.
    }
    String line = body.lines().findFirst().orElse("no text");
    return new ApiRefusal(code, "", line.length() > 200 ? line.substring(0, 200) : line);
  }

  /**
   * The refusal that a {@code Status} object means.
   *
   * @param otherwise its code when the object states none
   */
  public static ApiRefusal of(Tree.Mapping status, int otherwise) {
    int code = otherwise;
    try {
      code = Integer.parseInt(status.text("code").orElse(Integer.toString(otherwise)));
    } catch (NumberFormatException _) {
      // A server that writes no number there still refuses.
    }
    return new ApiRefusal(
        code, status.text("reason").orElse(""), status.text("message").orElse("no message"));
  }

  /** The HTTP status code. */
  public int code() {
    return code;
  }

  /** Kubernetes' word for it, such as {@code Conflict}; empty when the server gives none. */
  public String reason() {
    return reason;
  }

  /** Whether an object of this name is there already. */
  public boolean alreadyExists() {
    return code == 409 && reason.equals("AlreadyExists");
  }

  /** Whether what was read is no longer the latest: read again and decide anew. */
  public boolean isConflict() {
    return code == 409 && !alreadyExists();
  }

  /** Whether the agent lacks a permission: deploy/rbac.yaml has what it needs. */
  public boolean isForbidden() {
    return code == 403;
  }

  /** Whether what was asked for lies too far back: list anew. */
  public boolean isGone() {
    return code == 410;
  }

  /** Whether the server does not have the resource at all. */
  public boolean isNotFound() {
    return code == 404;
  }
}
