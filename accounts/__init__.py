"""Who signs in: users and their roles, in `public` for the BSP's staff and in each schema for its municipality."""
