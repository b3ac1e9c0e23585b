"""Judge claimed derivatives: ∂y/∂x and ∂L/∂x, ∂L/∂A and ∂L/∂B; large sparse systems have a judge of their own."""
